//! The outgoing webhooks of a running server.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use chatledger_infrastructure::{
    config::Config,
    deliveries::{
        Deliveries, DeliveriesConfig, Limits, Parts, Planners, Schedule, caller::Caller, planner::PlannerParts,
    },
    system::{SystemClock, SystemRandom},
};

use super::{StartError, addresses, database::Database, server::Core, settings::settings};
use crate::{integration::pushes::IntegrationBodies, media_link::MediaLinks};

/// Starts them. When it returns, whatever is recorded from now on is told.
pub(super) async fn start(
    config: &Config,
    database: &Database,
    core: &Core,
    (local, base_url): (SocketAddr, &str),
) -> Result<Deliveries, StartError> {
    let addresses = Arc::new(addresses::guard(config, &database.url, Some(local)));
    let caller = Caller::new(addresses, core.directory.clone(), Arc::new(SystemClock))
        .map_err(|error| StartError::Other(error.to_string()))?;
    let bodies = IntegrationBodies {
        inbox: core.inbox.clone(),
        directory: core.directory.clone(),
        media_links: MediaLinks::new(&settings(config).media_key),
        clock: Arc::new(SystemClock),
        base_url: base_url.to_owned(),
    };
    let planners = Planners(Arc::new(PlannerParts {
        pool: database.pool.clone(),
        ledger: core.ledger.clone(),
        read_models: core.models.clone(),
        subscribers: core.subscribers.clone(),
        directory: core.directory.clone(),
        bodies: Arc::new(bodies),
    }));
    let parts = Parts {
        pool: database.pool.clone(),
        ledger: core.ledger.clone(),
        plans: Arc::new(planners),
        receivers: core.application.clone(),
        caller: Arc::new(caller),
        effects: core.application.clone(),
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
    };
    let hours = |hours: u32| Duration::from_secs(u64::from(hours) * 3_600);
    let schedule = Schedule::of_seconds(&config.retry_after);
    let deliveries = DeliveriesConfig {
        limits: Limits { pause: schedule.rest(), ..Limits::default() },
        schedule,
        disable_after: hours(config.disable_after_hours),
        keep_delivered: hours(config.keep_delivered_hours),
        ..DeliveriesConfig::default()
    };
    Ok(Deliveries::start(parts, deliveries).await)
}
