//! Builds read models anew from the ledger.
//!
//! A tenant's read models are emptied and filled again in one transaction that holds all its cursors: readers see the
//! old rows until it ends, the live engine waits, and a rebuild that stops half-way has changed nothing.

use std::sync::Arc;

use chatledger_application::ports::{
    Unavailable,
    ledger::{Ledger, LedgerError, Recorded},
};
use chatledger_domain::{Position, TenantId};
use sqlx::{Acquire, PgConnection, PgPool};

use super::{
    ALL, Batch, Projection, ProjectionError,
    cursor::{lock, place},
    poison::first_poison,
};
use crate::unavailable;

/// Events in a statement: larger than live, since nobody waits for the first of them.
const PAGE: i64 = 10_000;

/// Why a rebuild stopped.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// No read model has this name.
    #[error("no read model is called {0}")]
    Unknown(String),
    /// An event cannot be folded.
    #[error("{projection} cannot fold the event at position {position} of tenant {tenant}: {error}")]
    Poison {
        /// The read model.
        projection: &'static str,
        /// The tenant.
        tenant: TenantId,
        /// The event's place.
        position: Position,
        /// Why.
        error: String,
    },
    /// The database or the ledger cannot be reached, or the ledger holds what this program cannot read.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// How far a rebuild is, in events over all tenants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Folded so far.
    pub done: i64,
    /// To fold in all.
    pub total: i64,
}

/// Builds read models anew (`names` empty: all of them), while the live engine waits. What was parked gets another
/// chance.
///
/// # Errors
/// See [`RebuildError`]. Tenants that are done stay done, the others stay as they were.
pub async fn rebuild(
    pool: &PgPool,
    ledger: &Arc<dyn Ledger>,
    names: &[String],
    mut progress: impl FnMut(Progress) + Send,
) -> Result<(), RebuildError> {
    if let Some(unknown) = names.iter().find(|name| ALL.iter().all(|projection| projection.name() != **name)) {
        return Err(RebuildError::Unknown(unknown.clone()));
    }
    let selected = |projection: &&dyn Projection| names.is_empty() || names.iter().any(|n| n == projection.name());
    let projections: Vec<&'static dyn Projection> = ALL.iter().copied().filter(selected).collect();
    let heads = ledger.heads().await.map_err(from_ledger)?;
    let mut state = Progress { done: 0, total: heads.iter().map(|(_, head)| head.0).sum() };
    progress(state);
    for (tenant, head) in heads {
        let before = state.done;
        let one = Tenant { pool, ledger, tenant, projections: &projections };
        one.rebuild(head.0, |done| {
            state.done = before + done;
            progress(state);
        })
        .await?;
        state.done = before + head.0;
        progress(state);
    }
    Ok(())
}

fn from_ledger(error: LedgerError) -> Unavailable {
    Unavailable::new("the ledger", error)
}

struct Tenant<'a> {
    pool: &'a PgPool,
    ledger: &'a Arc<dyn Ledger>,
    tenant: TenantId,
    projections: &'a [&'static dyn Projection],
}

impl Tenant<'_> {
    async fn rebuild(&self, head: i64, mut done: impl FnMut(i64) + Send) -> Result<(), RebuildError> {
        let mut tx = self.pool.begin().await.map_err(unavailable)?;
        let cursors = lock(&mut tx, self.tenant).await.map_err(unavailable)?;
        let target = self.target(&cursors, head);
        self.empty(&mut tx).await.map_err(unavailable)?;
        let mut position = 0;
        let mut next = self.read_ahead(position, target);
        while position < target {
            let events = next.await.map_err(|error| Unavailable::new("the ledger", error))?.map_err(from_ledger)?;
            let events: Vec<&Recorded> = events.iter().collect();
            let Some(last) = events.last() else {
                return Err(Unavailable::new("the ledger", format!("nothing after position {position}")).into());
            };
            position = last.position.0;
            next = self.read_ahead(position, target);
            for projection in self.projections {
                self.apply(&mut tx, *projection, &events).await?;
            }
            done(position);
        }
        next.abort();
        place(&mut tx, self.tenant, self.projections, target).await.map_err(unavailable)?;
        tx.commit().await.map_err(unavailable)?;
        Ok(())
    }

    /// How far to build. `received_marks` counts rows of `messages` and must never be ahead of it, so what is rebuilt
    /// meets what is not.
    fn target(&self, cursors: &[i64], head: i64) -> i64 {
        let rebuilt = |name| self.projections.iter().any(|projection| projection.name() == name);
        let furthest = cursors.iter().copied().max().unwrap_or_default();
        if self.projections.len() == ALL.len() {
            furthest.max(head)
        } else if rebuilt("messages") {
            furthest
        } else {
            let messages = ALL.iter().position(|projection| projection.name() == "messages");
            messages.and_then(|at| cursors.get(at).copied()).unwrap_or(furthest)
        }
    }

    async fn empty(&self, db: &mut PgConnection) -> Result<(), sqlx::Error> {
        for projection in self.projections {
            for table in projection.tables() {
                let sql = format!("DELETE FROM read_models.{table} WHERE tenant_id = $1");
                sqlx::query(&sql).bind(self.tenant.0).execute(&mut *db).await?;
            }
            for sql in [
                "DELETE FROM read_models.counters WHERE tenant_id = $1 AND split_part(projection, ':', 1) = $2",
                "DELETE FROM read_models.parked WHERE tenant_id = $1 AND projection = $2",
            ] {
                sqlx::query(sql).bind(self.tenant.0).bind(projection.name()).execute(&mut *db).await?;
            }
        }
        Ok(())
    }

    /// Reads the next page while the one before is applied.
    fn read_ahead(&self, after: i64, target: i64) -> tokio::task::JoinHandle<Result<Vec<Recorded>, LedgerError>> {
        let (ledger, tenant, limit) = (self.ledger.clone(), self.tenant, PAGE.min(target - after));
        tokio::spawn(async move {
            if limit > 0 { ledger.read(tenant, Position(after), limit).await } else { Ok(Vec::new()) }
        })
    }

    async fn apply(
        &self,
        db: &mut PgConnection,
        projection: &'static dyn Projection,
        events: &[&Recorded],
    ) -> Result<(), RebuildError> {
        let poison = |error: ProjectionError, at: Position| RebuildError::Poison {
            projection: projection.name(),
            tenant: self.tenant,
            position: at,
            error: error.to_string(),
        };
        let fault = |error: ProjectionError| RebuildError::from(Unavailable::new("the read model", error));
        let mut trial = db.begin().await.map_err(unavailable)?;
        match projection.apply(&mut trial, &Batch { tenant: self.tenant, events: events.to_vec() }).await {
            Ok(()) => Ok(trial.commit().await.map_err(unavailable)?),
            Err(error) if error.blames_event() => {
                trial.rollback().await.map_err(unavailable)?;
                match first_poison(db, self.tenant, projection, events).await.map_err(fault)? {
                    Some((event, error)) => Err(poison(error, event.position)),
                    // Event by event it went well, so all of it is applied now.
                    None => Ok(()),
                }
            }
            Err(error) => Err(fault(error)),
        }
    }
}
