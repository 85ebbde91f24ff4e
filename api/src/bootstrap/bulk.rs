//! Carries out bulk messages: those just created at once, those that a crash cut short soon after the start.
//!
//! Two servers may work on the same one: what each does is the same, and nothing is sent twice.

use std::{collections::HashSet, time::Duration};

use chatledger_application::ports::ledger::Appended;
use chatledger_domain::{AnyEvent, TenantId, bulk_message::BulkMessageEvent};
use tokio::{
    sync::broadcast::error::RecvError,
    task::{JoinHandle, JoinSet},
    time::{MissedTickBehavior, interval},
};
use uuid::Uuid;

use super::server::Core;

/// How often those that are not done are looked for.
const LOOK: Duration = Duration::from_secs(5);
/// Bulk messages carried out at once, over all tenants; the others wait.
const AT_ONCE: usize = 8;

/// The running reactor.
pub(super) struct BulkMessages(JoinHandle<()>);

impl BulkMessages {
    pub(super) fn start(core: Core) -> Self {
        Self(tokio::spawn(run(core)))
    }

    /// Stops at once: what is under way goes on after the next start.
    pub(super) fn stop(self) {
        self.0.abort();
    }
}

type Task = (TenantId, Uuid);

async fn run(core: Core) {
    let mut feed = core.ledger.feed();
    let mut open = true;
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut running, mut work) = (HashSet::new(), JoinSet::new());
    loop {
        let found = tokio::select! {
            told = feed.recv(), if open => match told {
                Ok(appended) => created(&appended),
                // What was missed is found by looking.
                Err(RecvError::Lagged(_)) => continue,
                Err(RecvError::Closed) => {
                    open = false;
                    continue;
                }
            },
            _ = look.tick() => unfinished(&core).await,
            Some(done) = work.join_next() => {
                if let Ok(task) = done {
                    running.remove(&task);
                }
                continue;
            }
        };
        for task in found {
            if running.len() < AT_ONCE && running.insert(task) {
                work.spawn(carry_out(core.clone(), task));
            }
        }
    }
}

async fn carry_out(core: Core, task: Task) -> Task {
    if let Err(error) = core.application.carry_out_bulk_message(task.0, task.1).await {
        tracing::warn!(%error, task = %task.1, "a bulk message waits");
    }
    task
}

fn created(appended: &Appended) -> Vec<Task> {
    let tasks = appended.events.iter().filter_map(|recorded| match &recorded.event {
        AnyEvent::BulkMessage(BulkMessageEvent::BulkMessageCreated(e)) => Some((recorded.tenant, e.id)),
        _ => None,
    });
    tasks.collect()
}

async fn unfinished(core: &Core) -> Vec<Task> {
    let Ok(tenants) = core.directory.all().await else { return Vec::new() };
    let mut found = Vec::new();
    for tenant in tenants.iter() {
        match core.recipients.unfinished(tenant.id).await {
            Ok(tasks) => found.extend(tasks.into_iter().map(|task| (tenant.id, task))),
            Err(error) => tracing::warn!(%error, "bulk messages cannot be looked for"),
        }
    }
    found
}
