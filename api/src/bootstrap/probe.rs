//! How the server itself fares, for those who watch it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chatledger_application::ports::ledger::Ledger;
use chatledger_infrastructure::postgres::Pool;
use chatledger_projections::lag;

use crate::health::{Condition, Probe};

/// Looks at the database and at whether the server stops.
pub(super) struct ServerProbe {
    pub stopping: Arc<AtomicBool>,
    pub pool: Pool,
    pub ledger: Arc<dyn Ledger>,
}

#[async_trait]
impl Probe for ServerProbe {
    async fn look(&self) -> Condition {
        // Started means migrated; the database may have gone away since.
        let look = tokio::time::timeout(Duration::from_secs(1), lag(&self.pool, &self.ledger));
        let rows = look.await.ok().and_then(Result::ok);
        let behind = rows.as_ref().map(|rows| rows.iter().map(|row| row.head.0 - row.position.0).max().unwrap_or(0));
        Condition { database: rows.is_some(), migrated: true, lag: behind, stopping: self.is_stopping() }
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }
}
