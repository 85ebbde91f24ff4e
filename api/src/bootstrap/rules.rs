//! What the rule engine works with.

use std::{net::SocketAddr, sync::Arc};

use chatledger_infrastructure::{
    config::Config,
    deliveries::caller::Caller,
    rules::{Parts, Rules},
    system::SystemClock,
};

use super::{StartError, addresses, database::Database, server::Core, settings::settings};
use crate::{integration::pushes::IntegrationBodies, media_link::MediaLinks};

/// Starts the rule engine of a server.
pub(super) async fn start(
    config: &Config,
    core: &Core,
    database: &Database,
    local: SocketAddr,
    base_url: &str,
) -> Result<Rules, StartError> {
    let clock = Arc::new(SystemClock);
    let guard = Arc::new(addresses::guard(config, &database.url, Some(local)));
    let caller = Caller::new(guard, core.directory.clone(), clock.clone());
    let bodies = IntegrationBodies {
        inbox: core.inbox.clone(),
        directory: core.directory.clone(),
        media_links: MediaLinks::new(&settings(config).media_key),
        clock,
        base_url: base_url.to_owned(),
    };
    let parts = Parts {
        pool: database.pool.clone(),
        ledger: core.ledger.clone(),
        read_models: core.models.clone(),
        application: core.application.clone(),
        bodies: Arc::new(bodies),
        caller: Arc::new(caller.map_err(|error| StartError::Other(error.to_string()))?),
    };
    Ok(Rules::start(parts).await)
}
