//! How servers on one database tell each other that a ledger has grown.
//!
//! Never inside the append, where a `NOTIFY` would cost most of its rate: a task gathers what grew and tells it at
//! most 20 times a second. It is a convenience; whoever misses it finds out by reading.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chatledger_application::ports::ledger::Appended;
use chatledger_domain::{Position, TenantId};
use sqlx::postgres::PgListener;
use tokio::{sync::Notify, time::sleep};
use uuid::Uuid;

use super::append::Core;

const CHANNEL: &str = "ledger";
const PAUSE: Duration = Duration::from_millis(50);
const RETRY: Duration = Duration::from_secs(1);

/// What has grown and is not told yet.
#[derive(Default)]
pub(super) struct Growth {
    heads: Mutex<HashMap<TenantId, Position>>,
    wake: Notify,
}

impl Growth {
    pub(super) fn add(&self, tenant: TenantId, head: Position) {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner).insert(tenant, head);
        self.wake.notify_one();
    }
}

/// Tells the other servers, for ever.
pub(super) async fn announce(core: Arc<Core>, process: Uuid) {
    loop {
        core.growth.wake.notified().await;
        let heads = std::mem::take(&mut *core.growth.heads.lock().unwrap_or_else(PoisonError::into_inner));
        let notes: Vec<String> = heads.iter().map(|(tenant, head)| format!("{process} {tenant} {head}")).collect();
        let told = sqlx::query("SELECT pg_notify($1, note) FROM unnest($2::text[]) note")
            .bind(CHANNEL)
            .bind(&notes)
            .execute(&core.pool)
            .await;
        if let Err(error) = told {
            tracing::debug!(%error, "the other servers were not told");
        }
        sleep(PAUSE).await;
    }
}

/// Passes on what other servers tell, for ever.
pub(super) async fn listen(core: Arc<Core>, process: Uuid) {
    loop {
        if let Err(error) = follow(&core, process).await {
            tracing::debug!(%error, "not hearing the other servers; they are found by reading");
        }
        sleep(RETRY).await;
    }
}

async fn follow(core: &Core, process: Uuid) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(&core.pool).await?;
    listener.listen(CHANNEL).await?;
    loop {
        let note = listener.recv().await?;
        if let Some((sender, tenant, head)) = read(note.payload())
            && sender != process
        {
            let _ = core.feed.send(Appended { tenant, head, events: Arc::new([]) });
        }
    }
}

fn read(note: &str) -> Option<(Uuid, TenantId, Position)> {
    let mut parts = note.split(' ');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}
