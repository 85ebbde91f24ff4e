//! What the websockets are given, and the sockets below them.

use std::{net::TcpListener, sync::Arc, time::Duration};

use chatledger_application::ports::bodies::Bodies;
use chatledger_infrastructure::{config::Config, system::SystemClock};
use socket2::SockRef;

use super::{server::Core, settings::settings};
use crate::{
    integration::pushes::IntegrationBodies,
    media_link::MediaLinks,
    websocket::{Hub, HubParts, HubSettings},
};

/// A client that takes nothing of what is sent to it for so long is cut off.
const STUCK: Duration = Duration::from_secs(60);

/// Starts the hub of a server.
pub(super) fn start(config: &Config, core: &Core, base_url: &str) -> Arc<Hub> {
    Hub::start(HubParts {
        ledger: core.ledger.clone(),
        read_models: core.models.clone(),
        bodies: bodies(config, core, base_url),
        inbox: core.inbox.clone(),
        application: core.application.clone(),
        settings: HubSettings {
            most: config.websockets,
            most_per_tenant: config.websockets_per_tenant,
            most_per_user: config.websockets_per_user,
            ping: Duration::from_secs(u64::from(config.websocket_ping_seconds)),
        },
    })
}

fn bodies(config: &Config, core: &Core, base_url: &str) -> Arc<dyn Bodies> {
    Arc::new(IntegrationBodies {
        inbox: core.inbox.clone(),
        directory: core.directory.clone(),
        media_links: MediaLinks::new(&settings(config).media_key),
        clock: Arc::new(SystemClock),
        base_url: base_url.to_owned(),
    })
}

/// Sets the time limit for stuck clients, which the connections of a listener inherit. The HTTP server has none for
/// what it sends; without it, a client that never reads would hold its connection for ever.
pub(super) fn limit_stuck_clients(listener: &TcpListener) {
    if let Err(error) = SockRef::from(listener).set_tcp_user_timeout(Some(STUCK)) {
        tracing::debug!(%error, "stuck clients are not cut off");
    }
}
