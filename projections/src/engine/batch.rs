//! Applies one batch to several read models: together where that works, one by one where an event stands in the way.

use std::panic::AssertUnwindSafe;

use chatledger_application::ports::ledger::Recorded;
use chatledger_domain::{AnyEvent, TenantId, contact::ContactEvent};
use futures_util::FutureExt;
use sqlx::{PgConnection, PgPool};

use super::{
    cursor::{self, Streams},
    poison,
    projection::{Batch, Projection, ProjectionError, Stage},
};

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is applied.
    Applied,
    /// It is applied, or some of it, but the cursors must be read again.
    Moved,
}

/// Applies consecutive events to projections whose cursors all stand before the first of them.
pub(super) async fn apply(
    pool: &PgPool,
    tenant: TenantId,
    projections: &[&'static dyn Projection],
    from: i64,
    events: &[&Recorded],
) -> Result<Outcome, ProjectionError> {
    match together(pool, tenant, projections, from, events).await {
        Err(error) if error.blames_event() => {
            tracing::warn!(%error, tenant = %tenant, from, "a batch cannot be folded; looking for the event");
            // In order, and not past a fault: no read model may get ahead of one that it counts the rows of.
            for projection in projections {
                if poison::apart(pool, tenant, *projection, from, events).await? == Outcome::Moved {
                    break;
                }
            }
            Ok(Outcome::Moved)
        }
        outcome => outcome,
    }
}

async fn together(
    pool: &PgPool,
    tenant: TenantId,
    projections: &[&'static dyn Projection],
    from: i64,
    events: &[&Recorded],
) -> Result<Outcome, ProjectionError> {
    let Some(to) = events.last().map(|event| event.position.0) else { return Ok(Outcome::Applied) };
    let mut tx = pool.begin().await?;
    let Some(parked) = cursor::advance(&mut tx, tenant, projections, from, to).await? else {
        tx.rollback().await?;
        return Ok(Outcome::Moved);
    };
    let whole = Batch { tenant, events: events.to_vec(), stage: Stage::Live };
    for projection in projections {
        match parked.get(projection.name()) {
            None => fold(*projection, &mut tx, &whole).await?,
            Some(streams) => {
                let rest = Batch { tenant, events: unparked(events, streams), stage: Stage::Live };
                fold(*projection, &mut tx, &rest).await?;
            }
        }
    }
    tx.commit().await?;
    Ok(Outcome::Applied)
}

/// Applies a batch to one projection. Its panic blames an event as its error does: one bad event must not end the task
/// that folds all others.
pub(super) async fn fold(
    projection: &dyn Projection,
    db: &mut PgConnection,
    batch: &Batch<'_>,
) -> Result<(), ProjectionError> {
    let Some(last) = batch.events.last() else { return Ok(()) };
    AssertUnwindSafe(projection.apply(db, batch)).catch_unwind().await.unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<&str>().map(|said| (*said).to_owned());
        let said = said.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        Err(ProjectionError::Event { position: last.position, reason: format!("its fold panicked: {said}") })
    })
}

/// The events of streams that are not parked, and those by which somebody is forgotten: that is not put off.
pub(super) fn unparked<'a>(events: &[&'a Recorded], streams: &Streams) -> Vec<&'a Recorded> {
    let parked = |event: &&&Recorded| {
        if matches!(event.event, AnyEvent::Contact(ContactEvent::ContactErased(_))) {
            return false;
        }
        // Few streams are ever parked, so the few comparisons are cheaper than building a key.
        streams.iter().any(|(kind, id)| kind == event.stream.aggregate_type && *id == event.stream.aggregate_id)
    };
    events.iter().filter(|event| !parked(event)).copied().collect()
}
