//! Streams that a read model leaves out: listed, left out by hand, and tried again.

use std::sync::Arc;

use chatledger_application::ports::{
    Unavailable,
    ledger::{Ledger, Recorded, StreamId},
};
use chatledger_domain::{AnyEvent, Position, TenantId};
use sqlx::{Connection, PgConnection, PgPool};
use uuid::Uuid;

use super::{
    ALL, Projection, cursor, generation::ANSWERING, poison::first_poison, projection::ProjectionError,
    rebuild::from_ledger,
};
use crate::unavailable;

/// A stream that a read model leaves out.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ParkedStream {
    /// The tenant.
    pub tenant_id: Uuid,
    /// The read model.
    pub projection: String,
    /// The stream's type.
    pub aggregate_type: String,
    /// The stream's id within its type.
    pub aggregate_id: String,
    /// Its first event that is left out.
    pub position: i64,
    /// Why.
    pub error: String,
    /// How often it was tried.
    pub attempts: i32,
}

/// Which parked streams are meant: what is `None` or empty means all.
#[derive(Clone, Debug, Default)]
pub struct Which {
    /// The tenant.
    pub tenant: Option<TenantId>,
    /// The read models.
    pub projections: Vec<String>,
    /// The stream, as type and id.
    pub stream: Option<(String, String)>,
}

/// The streams that read models leave out.
///
/// # Errors
/// When the database cannot be reached.
pub async fn parked_streams(pool: &PgPool, which: &Which) -> Result<Vec<ParkedStream>, Unavailable> {
    sqlx::query_as(
        "SELECT tenant_id, projection, aggregate_type, aggregate_id, position, error, attempts FROM read_models.parked
         WHERE ($1::uuid IS NULL OR tenant_id = $1) AND (cardinality($2::text[]) = 0 OR projection = ANY($2))
             AND ($3::text IS NULL OR aggregate_type = $3) AND ($4::text IS NULL OR aggregate_id = $4)
         ORDER BY tenant_id, aggregate_type, aggregate_id, projection",
    )
    .bind(which.tenant.map(|tenant| tenant.0))
    .bind(&which.projections)
    .bind(which.stream.as_ref().map(|stream| &stream.0))
    .bind(which.stream.as_ref().map(|stream| &stream.1))
    .fetch_all(pool)
    .await
    .map_err(unavailable)
}

/// Leaves what comes in a stream out of read models, until it is retried: for the operator who wants to keep something
/// from them. `false` for a read model that leaves it out already.
///
/// # Errors
/// When the database cannot be reached.
pub async fn park_stream(
    pool: &PgPool,
    tenant: TenantId,
    projection: &str,
    stream: (&str, &str),
    why: &str,
) -> Result<bool, Unavailable> {
    let park = async || -> Result<bool, sqlx::Error> {
        let mut tx = pool.begin().await?;
        cursor::make(&mut tx, tenant).await?;
        let position = hold(&mut tx, tenant, projection).await?;
        let parked = sqlx::query(
            "INSERT INTO read_models.parked (tenant_id, projection, aggregate_type, aggregate_id, position, error,
                 attempts)
             VALUES ($1, $2, $3, $4, $5, $6, 0) ON CONFLICT DO NOTHING",
        )
        .bind(tenant.0)
        .bind(projection)
        .bind(stream.0)
        .bind(stream.1)
        .bind(position + 1)
        .bind(why)
        .execute(&mut *tx)
        .await?
        .rows_affected();
        cursor::count_parked(&mut tx, tenant, projection).await?;
        tx.commit().await?;
        Ok(parked > 0)
    };
    park().await.map_err(unavailable)
}

/// What became of a parked stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retried {
    /// The stream, as it was parked.
    pub was: ParkedStream,
    /// Its events that are folded now.
    pub folded: usize,
    /// The event that still cannot be folded, and why.
    pub stays: Option<(Position, String)>,
}

/// Folds what was left out of parked streams. Each in a transaction of its own; `told` hears of each.
///
/// # Errors
/// When the database or the ledger cannot be reached.
pub async fn retry_parked(
    pool: &PgPool,
    ledger: &Arc<dyn Ledger>,
    which: &Which,
    mut told: impl FnMut(Retried) + Send,
) -> Result<(), Unavailable> {
    let mut parked = parked_streams(pool, which).await?;
    // In the order of all read models: `received_marks` counts what `messages` holds.
    let place = |name: &str| ALL.iter().position(|projection| projection.name() == name);
    parked.sort_by_key(|stream| place(&stream.projection));
    for was in parked {
        let Some(projection) = place(&was.projection).map(|at| ALL[at]) else { continue };
        told(retry(pool, ledger, projection, was).await?);
    }
    Ok(())
}

async fn retry(
    pool: &PgPool,
    ledger: &Arc<dyn Ledger>,
    projection: &'static dyn Projection,
    was: ParkedStream,
) -> Result<Retried, Unavailable> {
    let tenant = TenantId(was.tenant_id);
    let mut tx = pool.begin().await.map_err(unavailable)?;
    let position = hold(&mut tx, tenant, projection.name()).await.map_err(unavailable)?;
    let Some(aggregate_type) = AnyEvent::aggregate_type(&was.aggregate_type) else {
        let why = format!("this program knows no aggregate {}", was.aggregate_type);
        return Ok(Retried { stays: Some((Position(was.position), why)), folded: 0, was });
    };
    let stream = StreamId { aggregate_type, aggregate_id: was.aggregate_id.clone() };
    let all = ledger.load(tenant, &[(stream, 0)]).await.map_err(from_ledger)?;
    let missed: Vec<&Recorded> =
        all.iter().filter(|event| event.position.0 >= was.position && event.position.0 <= position).collect();
    sqlx::query(ANSWERING).execute(&mut *tx).await.map_err(unavailable)?;
    let mut trial = tx.begin().await.map_err(unavailable)?;
    let fault = |error: ProjectionError| Unavailable::new("the read model", error);
    let poison = first_poison(&mut trial, tenant, projection, &missed).await.map_err(fault)?;
    let (folded, stays) = match &poison {
        // What comes before it stays folded; the rest waits behind it.
        Some((event, error)) => {
            (missed.partition_point(|other| other.position < event.position), Some((event.position, error.to_string())))
        }
        None => (missed.len(), None),
    };
    trial.commit().await.map_err(unavailable)?;
    settle(&mut tx, &was, stays.as_ref()).await.map_err(unavailable)?;
    if stays.is_none() {
        projection.freed(&mut tx, tenant, &was.aggregate_id).await.map_err(fault)?;
    }
    tx.commit().await.map_err(unavailable)?;
    Ok(Retried { was, folded, stays })
}

/// Holds a read model's cursor: nobody folds anything into it until the transaction ends. Its position.
async fn hold(db: &mut PgConnection, tenant: TenantId, projection: &str) -> Result<i64, sqlx::Error> {
    let sql = "SELECT position FROM read_models.cursors WHERE tenant_id = $1 AND projection = $2 FOR UPDATE";
    let held: Option<i64> = sqlx::query_scalar(sql).bind(tenant.0).bind(projection).fetch_optional(db).await?;
    Ok(held.unwrap_or_default())
}

async fn settle(
    db: &mut PgConnection,
    was: &ParkedStream,
    stays: Option<&(Position, String)>,
) -> Result<(), sqlx::Error> {
    const STREAM: &str = "WHERE tenant_id = $1 AND projection = $2 AND aggregate_type = $3 AND aggregate_id = $4";
    let sql = match stays {
        None => format!("DELETE FROM read_models.parked {STREAM}"),
        Some(_) => format!("UPDATE read_models.parked SET position = $5, error = $6, attempts = attempts + 1 {STREAM}"),
    };
    let query = sqlx::query(&sql).bind(was.tenant_id).bind(&was.projection);
    let mut query = query.bind(&was.aggregate_type).bind(&was.aggregate_id);
    if let Some((position, error)) = stays {
        query = query.bind(position.0).bind(error.replace('\0', ""));
    }
    query.execute(&mut *db).await?;
    cursor::count_parked(db, TenantId(was.tenant_id), &was.projection).await
}
