//! Builds read models anew from the ledger, beside the ones that answer.
//!
//! The steps: tables in a schema of their own; one pass over each ledger (`bulk`); the remaining indexes; what is
//! counted rather than folded; catching up with what came meanwhile; a comparison of both generations at one moment;
//! and the change of places in one short transaction (`swap`). Until then nobody sees anything of it, and live
//! projection goes on. Whatever is killed in between goes on where it was.

mod bulk;
mod compare;
mod index;
mod pace;
mod pages;
mod swap;

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use chatledger_application::ports::{
    Unavailable,
    ledger::{Ledger, LedgerError, Recorded},
};
use chatledger_domain::{Position, TenantId};
use sqlx::{Connection, PgConnection, PgPool};

use super::{
    ALL, Batch, Projection, ProjectionError, cursor,
    generation::{Generation, builder, drop_before},
    poison::first_poison,
};
use crate::unavailable;

use pace::Turns;

pub use compare::{Comparison, Difference, LeftOut};
pub use pace::Pace;

/// No two rebuilds at a time: who holds this advisory lock builds.
const LOCK: i64 = 0x6368_6174_6c65_6467;

/// Why a rebuild stopped.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// No read model has this name.
    #[error("no read model is called {0}")]
    Unknown(String),
    /// Somebody else is at it.
    #[error("another rebuild is running on this database")]
    Busy,
    /// An event cannot be folded.
    #[error("{projection} cannot fold {kind} at position {position} of tenant {tenant} ({stream}): {error}")]
    Poison {
        /// The read model.
        projection: &'static str,
        /// The tenant.
        tenant: TenantId,
        /// The event's place.
        position: Position,
        /// Its stream, as type and id.
        stream: String,
        /// The event's name.
        kind: &'static str,
        /// Why.
        error: String,
    },
    /// The new generation is not as the one that answers, or that is not known of every ledger, and it was to be taken
    /// only if it were.
    #[error("the new generation is not known to be as the one that answers: {}", compare::words(.0))]
    Different(Comparison),
    /// The database or the ledger cannot be reached, or the ledger holds what this program cannot read.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl RebuildError {
    fn of(projection: &dyn Projection, event: &Recorded, error: &ProjectionError) -> Self {
        Self::Poison {
            projection: projection.name(),
            tenant: event.tenant,
            position: event.position,
            stream: format!("{}/{}", event.stream.aggregate_type, event.stream.aggregate_id),
            kind: event.event.name(),
            error: error.to_string(),
        }
    }
}

/// What a rebuild is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RebuildOptions {
    /// Whether both generations are compared, row by row, before the new one answers.
    pub compare: bool,
    /// What becomes of the new generation.
    pub then: Then,
    /// How much of the machine it may take.
    pub pace: Pace,
}

impl Default for RebuildOptions {
    fn default() -> Self {
        Self { compare: true, then: Then::Swap, pace: Pace::Auto }
    }
}

/// What becomes of a generation that is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// It answers from then on.
    Swap,
    /// It answers from then on, if it is as the one before in every ledger.
    SwapIfEqual,
    /// It is dropped; where both are equal, this program's definition counts as the one that built the other, in the
    /// ledgers that were compared.
    Discard,
}

/// What a rebuild is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// One pass over the ledgers; counted in events.
    Fold,
    /// Indexes and statistics; counted in tables and indexes.
    Index,
    /// Catching up with what came meanwhile; counted in events.
    CatchUp,
    /// Both generations are compared; counted in tables.
    Compare,
    /// The generations change places; counted in attempts.
    Swap,
}

/// How far a rebuild is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What it is at.
    pub step: Step,
    /// Done of this step so far, over all tenants.
    pub done: i64,
    /// To do in this step.
    pub total: i64,
}

/// What a rebuild came to.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Whether it went on with what an earlier one had built.
    pub resumed: bool,
    /// Events that were folded in one pass.
    pub events: i64,
    /// How long each step took.
    pub took: Vec<(Step, Duration)>,
    /// What comparing both generations came to; `None` where they were not compared.
    pub comparison: Option<Comparison>,
    /// Whether the new generation answers.
    pub swapped: bool,
}

impl Report {
    fn note(&mut self, step: Step, since: &mut Instant) {
        self.took.push((step, since.elapsed()));
        *since = Instant::now();
    }
}

/// Builds read models anew (`names` empty: all of them). What was parked gets another chance.
///
/// # Errors
/// [`RebuildError`]; the generation that answers is untouched then, and another attempt goes on where this one was.
pub async fn rebuild(
    pool: &PgPool,
    ledger: &Arc<dyn Ledger>,
    names: &[String],
    options: RebuildOptions,
    mut progress: impl FnMut(Progress) + Send,
) -> Result<Report, RebuildError> {
    for name in names {
        if !ALL.iter().any(|projection| projection.name() == name) {
            return Err(RebuildError::Unknown(name.clone()));
        }
    }
    let wanted =
        |projection: &&&'static dyn Projection| names.is_empty() || names.iter().any(|name| name == projection.name());
    let projections: Vec<&'static dyn Projection> = ALL.iter().filter(wanted).copied().collect();
    let mut db = builder(pool).await.map_err(unavailable)?;
    let alone: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
        .bind(LOCK)
        .fetch_one(&mut db)
        .await
        .map_err(unavailable)?;
    if !alone {
        return Err(RebuildError::Busy);
    }
    let generation = Generation { projections: &projections };
    let rebuild = Rebuild { pool, ledger, generation, turns: Arc::new(Turns::new(options.pace)) };
    let watching = tokio::spawn({
        let (turns, ledger) = (rebuild.turns.clone(), ledger.clone());
        async move { turns.watch(ledger.as_ref()).await }
    });
    let result = rebuild.run(&mut db, options, &mut progress).await;
    watching.abort();
    // The lock would go with the connection as well, but a moment later.
    sqlx::query("SELECT pg_advisory_unlock($1)").bind(LOCK).execute(&mut db).await.map_err(unavailable)?;
    db.close().await.map_err(unavailable)?;
    result
}

pub(super) fn from_ledger(error: LedgerError) -> Unavailable {
    Unavailable::new("the ledger", error)
}

fn fault(error: ProjectionError) -> RebuildError {
    Unavailable::new("the read model", error).into()
}

/// What stopped a batch, with the first event that cannot be folded where that is the reason.
async fn poison(
    db: &mut PgConnection,
    projection: &'static dyn Projection,
    batch: &Batch<'_>,
    error: ProjectionError,
) -> Result<RebuildError, RebuildError> {
    if !error.blames_event() {
        return Ok(fault(error));
    }
    let alone = [projection];
    Generation { projections: &alone }.key(db).await.map_err(unavailable)?;
    // Nothing of this stays: it only finds the event.
    let mut tx = db.begin().await.map_err(unavailable)?;
    let found = first_poison(&mut tx, batch.tenant, projection, &batch.events).await.map_err(fault)?;
    Ok(found.map_or_else(|| fault(error), |(event, error)| RebuildError::of(projection, event, &error)))
}

struct Rebuild<'a> {
    pool: &'a PgPool,
    ledger: &'a Arc<dyn Ledger>,
    generation: Generation<'a>,
    turns: Arc<Turns>,
}

impl Rebuild<'_> {
    async fn run(
        &self,
        db: &mut PgConnection,
        options: RebuildOptions,
        progress: &mut (impl FnMut(Progress) + Send),
    ) -> Result<Report, RebuildError> {
        let (mut report, mut since) = (Report::default(), Instant::now());
        report.resumed = self.generation.is_begun(db).await.map_err(unavailable)?;
        if !report.resumed {
            self.generation.begin(db).await.map_err(unavailable)?;
        }
        report.events = self.fold(db, options.then, progress).await?;
        report.note(Step::Fold, &mut since);
        self.index(db, progress).await?;
        self.complete(db).await?;
        report.note(Step::Index, &mut since);
        self.catch_up(db, progress).await?;
        report.note(Step::CatchUp, &mut since);
        if options.compare || options.then != Then::Swap {
            let comparison = self.compare(db, options.then, progress).await?;
            report.note(Step::Compare, &mut since);
            match options.then {
                Then::SwapIfEqual if !comparison.is_equal() => return Err(RebuildError::Different(comparison)),
                Then::Swap | Then::SwapIfEqual => report.comparison = Some(comparison),
                Then::Discard => {
                    self.discard(db, &comparison).await?;
                    report.comparison = Some(comparison);
                    return Ok(report);
                }
            }
            // The comparison took its time.
            self.catch_up(db, progress).await?;
        }
        drop_before(db, Some(&self.tables()), None).await.map_err(unavailable)?;
        self.swap(db, progress).await?;
        report.note(Step::Swap, &mut since);
        report.swapped = true;
        Ok(report)
    }

    fn tables(&self) -> Vec<&'static str> {
        self.generation.tables().map(|table| table.name).collect()
    }

    fn rebuilds(&self, name: &str) -> bool {
        self.generation.projections.iter().any(|projection| projection.name() == name)
    }

    /// How far the new generation must be to take the place of the other. `received_marks` counts rows of `messages`
    /// and must never be ahead of it, so alone it ends where `messages` is.
    fn target(&self, live: &HashMap<String, i64>) -> i64 {
        if self.rebuilds("received_marks") && !self.rebuilds("messages") {
            return live.get("messages").copied().unwrap_or_default();
        }
        live.values().copied().max().unwrap_or_default()
    }

    /// One pass over every ledger: how many events that was.
    async fn fold(
        &self,
        db: &mut PgConnection,
        then: Then,
        progress: &mut (impl FnMut(Progress) + Send),
    ) -> Result<i64, RebuildError> {
        let mut targets = Vec::new();
        for (tenant, head) in self.ledger.heads().await.map_err(from_ledger)? {
            let live = cursor::read(db, tenant).await.map_err(unavailable)?;
            let target = self.target(&live);
            // Where live projection is far behind, or has never begun, nobody waits for it; but where all depends on
            // whether both are the same, they are to meet.
            let waits = self.rebuilds("received_marks") && !self.rebuilds("messages");
            let meets = then != Then::Swap && target > 0;
            targets.push((tenant, if waits || meets { target } else { target.max(head.0) }));
        }
        let mut state = Progress { step: Step::Fold, done: 0, total: targets.iter().map(|(_, target)| target).sum() };
        progress(state);
        for (tenant, target) in targets {
            let before = state.done;
            let (pool, ledger, generation, turns) = (self.pool, self.ledger, self.generation, &self.turns);
            let pass = bulk::Pass { pool, ledger, tenant, generation, turns, target };
            pass.run(|position| {
                state.done = before + position;
                progress(state);
            })
            .await?;
            state.done = before + target;
            progress(state);
        }
        Ok(state.total)
    }

    /// What is counted rather than folded.
    async fn complete(&self, db: &mut PgConnection) -> Result<(), RebuildError> {
        let open: Vec<(uuid::Uuid, i64)> = sqlx::query_as(
            "SELECT tenant_id, max(position) FROM read_models_next.cursors WHERE NOT complete GROUP BY 1",
        )
        .fetch_all(&mut *db)
        .await
        .map_err(unavailable)?;
        for (tenant, end) in open {
            let (tenant, end) = (TenantId(tenant), Position(end));
            let mut tx = db.begin().await.map_err(unavailable)?;
            for projection in self.generation.projections {
                projection.complete(&mut tx, tenant, end).await.map_err(fault)?;
            }
            sqlx::query("UPDATE read_models_next.cursors SET complete = true WHERE tenant_id = $1")
                .bind(tenant.0)
                .execute(&mut *tx)
                .await
                .map_err(unavailable)?;
            tx.commit().await.map_err(unavailable)?;
        }
        Ok(())
    }
}
