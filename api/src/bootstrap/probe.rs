//! How the server itself fares, for those who watch it.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chatledger_application::ports::ledger::Ledger;
use chatledger_infrastructure::postgres::Pool;
use chatledger_projections::{Lag, lag};

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
        // What catches up by itself holds up nobody, and is told apart.
        let (near, far): (Vec<_>, Vec<_>) = rows.iter().flatten().partition(|row| row.keeps_up);
        let behind = rows.as_ref().map(|_| near.iter().map(|row| row.head.0 - row.position.0).max().unwrap_or(0));
        let catching_up = rows.as_ref().map(|_| names(&far));
        let parked = rows.as_ref().map(|rows| rows.iter().map(|row| i64::from(row.parked)).sum());
        let outdated = rows.as_ref().map(|rows| names(&rows.iter().filter(|row| row.outdated).collect::<Vec<_>>()));
        let (database, stopping) = (rows.is_some(), self.is_stopping());
        Condition { database, migrated: true, lag: behind, catching_up, parked, outdated, stopping }
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }
}

/// How many read models these are.
fn names(of: &[&Lag]) -> i64 {
    let names: BTreeSet<_> = of.iter().map(|lag| lag.projection).collect();
    i64::try_from(names.len()).unwrap_or(i64::MAX)
}
