//! Finds the event that a read model cannot fold, parks its stream, and applies the rest.

use chatledger_application::ports::ledger::Recorded;
use chatledger_domain::TenantId;
use sqlx::{Acquire, PgConnection, PgPool};

use super::{
    batch::{Outcome, fold, unparked},
    cursor,
    projection::{Batch, Projection, ProjectionError, Stage},
};

/// Applies a batch to one projection in a transaction of its own; events that it cannot fold park their streams.
pub(super) async fn apart(
    pool: &PgPool,
    tenant: TenantId,
    projection: &'static dyn Projection,
    from: i64,
    events: &[&Recorded],
) -> Result<Outcome, ProjectionError> {
    let Some(to) = events.last().map(|event| event.position.0) else { return Ok(Outcome::Applied) };
    let mut tx = pool.begin().await?;
    let Some(mut parked) = cursor::advance(&mut tx, tenant, &[projection], from, to).await? else {
        tx.rollback().await?;
        return Ok(Outcome::Moved);
    };
    let mut parked = parked.remove(projection.name()).unwrap_or_default();
    let mut rest = events;
    loop {
        let left = unparked(rest, &parked);
        let Some((event, error)) = first_poison(&mut tx, tenant, projection, &left).await? else { break };
        tracing::error!(
            projection = projection.name(), tenant = %tenant, position = event.position.0, %error,
            "an event cannot be folded; its stream is parked"
        );
        metrics::counter!("chatledger_projection_parked_total", "projection" => projection.name()).increment(1);
        cursor::park(&mut tx, projection.name(), event, &error.to_string()).await?;
        parked.insert((event.stream.aggregate_type.to_owned(), event.stream.aggregate_id.clone()));
        rest = &rest[rest.partition_point(|other| other.position <= event.position)..];
    }
    tx.commit().await?;
    Ok(Outcome::Applied)
}

/// Leaves out, from the projections that stand before it, the stream of an event that this program cannot read.
pub(super) async fn unreadable(
    pool: &PgPool,
    tenant: TenantId,
    projections: &[&'static dyn Projection],
    from: i64,
    error: &str,
) -> Result<(), sqlx::Error> {
    let mut tx = pool.begin().await?;
    if cursor::advance(&mut tx, tenant, projections, from, from + 1).await?.is_some() {
        for projection in projections {
            tracing::error!(projection = projection.name(), tenant = %tenant, position = from + 1, error, "parked");
            metrics::counter!("chatledger_projection_parked_total", "projection" => projection.name()).increment(1);
            sqlx::query(
                "INSERT INTO read_models.parked (tenant_id, projection, aggregate_type, aggregate_id, position, error)
                 SELECT tenant_id, $3, aggregate_type, aggregate_id, position, $4 FROM ledger.events
                 WHERE tenant_id = $1 AND position = $2 ON CONFLICT DO NOTHING",
            )
            .bind(tenant.0)
            .bind(from + 1)
            .bind(projection.name())
            .bind(error.replace('\0', ""))
            .execute(&mut *tx)
            .await?;
            cursor::count_parked(&mut tx, tenant, projection.name()).await?;
        }
        tx.commit().await?;
    }
    Ok(())
}

/// Applies events in order up to the first that cannot be folded: that one, and why; `None` when all are applied.
pub(super) async fn first_poison<'a>(
    db: &mut PgConnection,
    tenant: TenantId,
    projection: &dyn Projection,
    events: &[&'a Recorded],
) -> Result<Option<(&'a Recorded, ProjectionError)>, ProjectionError> {
    // Halves still to be applied, the earliest last.
    let mut halves = vec![events];
    while let Some(part) = halves.pop() {
        let Some(first) = part.first() else { continue };
        let mut trial = db.begin().await?;
        match fold(projection, &mut trial, &Batch { tenant, events: part.to_vec(), stage: Stage::Live }).await {
            Ok(()) => trial.commit().await?,
            Err(error) if error.blames_event() => {
                trial.rollback().await?;
                if part.len() == 1 {
                    return Ok(Some((first, error)));
                }
                let (early, late) = part.split_at(part.len() / 2);
                halves.extend([late, early]);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}
