//! Applies one batch to several read models: together where that works, one by one where an event stands in the way.

use chatledger_application::ports::ledger::Recorded;
use chatledger_domain::TenantId;
use sqlx::PgPool;

use super::{
    cursor::{self, Cursors, Streams},
    poison,
    projection::{Batch, Projection, ProjectionError},
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
    cursors: &Cursors,
    from: i64,
    events: &[&Recorded],
) -> Result<Outcome, ProjectionError> {
    match together(pool, tenant, projections, cursors, from, events).await {
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
    cursors: &Cursors,
    from: i64,
    events: &[&Recorded],
) -> Result<Outcome, ProjectionError> {
    let Some(to) = events.last().map(|event| event.position.0) else { return Ok(Outcome::Applied) };
    let mut tx = pool.begin().await?;
    if !cursor::advance(&mut tx, tenant, projections, from, to).await? {
        tx.rollback().await?;
        return Ok(Outcome::Moved);
    }
    // A rebuild may have freed streams without moving a cursor; now that the cursors are held, none can.
    let parked = if cursors.parked.is_empty() { None } else { Some(cursor::parked(&mut tx, tenant).await?) };
    let whole = Batch { tenant, events: events.to_vec() };
    for projection in projections {
        match parked.as_ref().and_then(|parked| parked.get(projection.name())) {
            None => projection.apply(&mut tx, &whole).await?,
            Some(streams) => projection.apply(&mut tx, &Batch { tenant, events: unparked(events, streams) }).await?,
        }
    }
    tx.commit().await?;
    Ok(Outcome::Applied)
}

/// The events of streams that are not parked.
pub(super) fn unparked<'a>(events: &[&'a Recorded], streams: &Streams) -> Vec<&'a Recorded> {
    let parked = |event: &&&Recorded| {
        // Few streams are ever parked, so the few comparisons are cheaper than building a key.
        streams.iter().any(|(kind, id)| kind == event.stream.aggregate_type && *id == event.stream.aggregate_id)
    };
    events.iter().filter(|event| !parked(event)).copied().collect()
}
