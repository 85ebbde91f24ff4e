//! Everything that is read of the ledger, each in one query.

use std::collections::HashMap;

use chatledger_application::ports::ledger::{LedgerError, Recorded, Snapshot, StreamId};
use chatledger_domain::{Position, TenantId};
use sqlx::{PgPool, Row, postgres::PgRow};
use uuid::Uuid;

use super::{
    erase::ERASED,
    row::{COLUMNS, decode_rows, unavailable},
};

pub(super) async fn load(
    pool: &PgPool,
    tenant: TenantId,
    streams: &[(StreamId, i64)],
) -> Result<Vec<Recorded>, LedgerError> {
    // `LATERAL` with its own order: one walk along the primary key for each stream, whatever the planner believes.
    let query = format!(
        "SELECT e.* FROM unnest($2::text[], $3::text[], $4::bigint[]) WITH ORDINALITY s (type, id, after, number) \
         CROSS JOIN LATERAL ( \
             SELECT {COLUMNS} FROM ledger.events e \
             WHERE e.tenant_id = $1 AND e.aggregate_type = s.type AND e.aggregate_id = s.id AND e.sequence > s.after \
             ORDER BY e.sequence \
         ) e ORDER BY s.number, e.sequence"
    );
    let types: Vec<&str> = streams.iter().map(|(stream, _)| stream.aggregate_type).collect();
    let ids: Vec<&str> = streams.iter().map(|(stream, _)| stream.aggregate_id.as_str()).collect();
    let after: Vec<i64> = streams.iter().map(|(_, after)| *after).collect();
    let rows = sqlx::query(&query).bind(tenant.0).bind(types).bind(ids).bind(after).fetch_all(pool).await;
    decode_rows(tenant, &rows.map_err(unavailable)?)
}

pub(super) async fn page(
    pool: &PgPool,
    tenant: TenantId,
    after: Position,
    limit: i64,
) -> Result<Vec<Recorded>, LedgerError> {
    let query = format!(
        "SELECT {COLUMNS} FROM ledger.events e WHERE e.tenant_id = $1 AND e.position > $2 \
         ORDER BY e.position LIMIT $3"
    );
    let rows = sqlx::query(&query).bind(tenant.0).bind(after.0).bind(limit).fetch_all(pool).await;
    decode_rows(tenant, &rows.map_err(unavailable)?)
}

pub(super) async fn at(pool: &PgPool, tenant: TenantId, position: Position) -> Result<Option<Recorded>, LedgerError> {
    let query = format!("SELECT {COLUMNS} FROM ledger.events e WHERE e.tenant_id = $1 AND e.position = $2");
    one(tenant, sqlx::query(&query).bind(tenant.0).bind(position.0).fetch_optional(pool).await)
}

pub(super) async fn by_key(pool: &PgPool, tenant: TenantId, key: &str) -> Result<Option<Recorded>, LedgerError> {
    let query = format!("SELECT {COLUMNS} FROM ledger.events e WHERE e.tenant_id = $1 AND e.idempotency_key = $2");
    one(tenant, sqlx::query(&query).bind(tenant.0).bind(key).fetch_optional(pool).await)
}

fn one(tenant: TenantId, row: Result<Option<PgRow>, sqlx::Error>) -> Result<Option<Recorded>, LedgerError> {
    let rows = row.map_err(unavailable)?;
    Ok(decode_rows(tenant, rows.as_slice())?.pop())
}

pub(super) async fn head(pool: &PgPool, tenant: TenantId) -> Result<Position, LedgerError> {
    let head: Option<i64> = sqlx::query_scalar("SELECT head_position FROM ledger.heads WHERE tenant_id = $1")
        .bind(tenant.0)
        .fetch_optional(pool)
        .await
        .map_err(unavailable)?;
    Ok(Position(head.unwrap_or(0)))
}

pub(super) async fn heads(pool: &PgPool) -> Result<Vec<(TenantId, Position)>, LedgerError> {
    let heads: Vec<(Uuid, i64)> = sqlx::query_as("SELECT tenant_id, head_position FROM ledger.heads")
        .fetch_all(pool)
        .await
        .map_err(unavailable)?;
    Ok(heads.into_iter().map(|(tenant, head)| (TenantId(tenant), Position(head))).collect())
}

pub(super) async fn snapshots(
    pool: &PgPool,
    tenant: TenantId,
    streams: &[StreamId],
) -> Result<Vec<(StreamId, Snapshot)>, LedgerError> {
    let types: Vec<&str> = streams.iter().map(|stream| stream.aggregate_type).collect();
    let ids: Vec<&str> = streams.iter().map(|stream| stream.aggregate_id.as_str()).collect();
    let rows = sqlx::query(
        "SELECT k.number, k.sequence, k.form, k.state \
         FROM unnest($2::text[], $3::text[]) WITH ORDINALITY s (type, id, number) \
         CROSS JOIN LATERAL ( \
             SELECT s.number, k.sequence, k.form, k.state FROM ledger.snapshots k \
             WHERE k.tenant_id = $1 AND k.aggregate_type = s.type AND k.aggregate_id = s.id LIMIT 1 \
         ) k",
    )
    .bind(tenant.0)
    .bind(types)
    .bind(ids)
    .fetch_all(pool)
    .await
    .map_err(unavailable)?;
    let mut kept = HashMap::with_capacity(rows.len());
    for row in &rows {
        let (number, snapshot) = snapshot(row).map_err(unavailable)?;
        kept.insert(number, snapshot);
    }
    let numbered = streams.iter().zip(1..);
    Ok(numbered.filter_map(|(stream, number)| Some((stream.clone(), kept.remove(&number)?))).collect())
}

fn snapshot(row: &PgRow) -> Result<(i64, Snapshot), sqlx::Error> {
    let state: &str = row.try_get_unchecked(3)?;
    Ok((row.try_get(0)?, Snapshot { sequence: row.try_get(1)?, form: row.try_get(2)?, state: state.to_owned() }))
}

pub(super) async fn keep_snapshot(
    pool: &PgPool,
    tenant: TenantId,
    stream: &StreamId,
    snapshot: &Snapshot,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO ledger.snapshots AS kept (tenant_id, aggregate_type, aggregate_id, sequence, form, state) \
         VALUES ($1, $2, $3, $4, $5, $6::text::json) \
         ON CONFLICT (tenant_id, aggregate_type, aggregate_id) DO UPDATE \
         SET sequence = excluded.sequence, form = excluded.form, state = excluded.state \
         WHERE kept.sequence < excluded.sequence OR kept.form NOT IN (excluded.form, $7)",
    )
    .bind(tenant.0)
    .bind(stream.aggregate_type)
    .bind(&stream.aggregate_id)
    .bind(snapshot.sequence)
    .bind(&snapshot.form)
    .bind(&snapshot.state)
    // What was known before an erasure must not come back.
    .bind(ERASED)
    .execute(pool)
    .await?;
    Ok(())
}
