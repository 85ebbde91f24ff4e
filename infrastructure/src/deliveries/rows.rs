//! The statements of the dispatcher. Whatever changes a row names the fence under which its tenant is held.

use std::{collections::HashMap, sync::Arc, time::Duration};

use chatledger_application::ports::Unavailable;
use chatledger_domain::TenantId;
use chrono::{DateTime, Utc};
use sqlx::{PgPool, Row, postgres::PgRow};
use uuid::Uuid;

use super::delivery::{Delivery, Key};

/// The reactor whose lease counts.
pub(super) const REACTOR: &str = "webhooks";

const COLUMNS: &str = "receiver, position, part, piece, id, wa_ids, body_id, attempts, not_before";

/// The receivers of a tenant that have something pending.
pub(super) async fn receivers_with_pending(pool: &PgPool, tenant: TenantId) -> Result<Vec<i64>, Unavailable> {
    let sql = "SELECT DISTINCT receiver FROM outbound.deliveries WHERE tenant_id = $1 AND state = 'pending'";
    sqlx::query_scalar(sql).bind(tenant.0).fetch_all(pool).await.map_err(unavailable)
}

/// The next pending deliveries of a receiver, in order, without bodies.
pub(super) async fn page(
    pool: &PgPool,
    tenant: TenantId,
    receiver: i64,
    after: Option<Key>,
    limit: i64,
) -> Result<Vec<Delivery>, Unavailable> {
    let sql = format!(
        "SELECT {COLUMNS} FROM outbound.deliveries WHERE tenant_id = $1 AND receiver = $2 AND state = 'pending' \
         AND (position, part, piece) > ($3, $4, $5) ORDER BY position, part, piece LIMIT $6"
    );
    let (position, part, piece) = after.map_or((-1, 0, 0), |key| (key.position, key.part, key.piece));
    let bound = sqlx::query(&sql).bind(tenant.0).bind(receiver).bind(position).bind(part).bind(piece).bind(limit);
    let rows = bound.fetch_all(pool).await.map_err(unavailable)?;
    rows.iter().map(delivery).collect::<Result<_, _>>().map_err(unavailable)
}

fn key(row: &PgRow) -> sqlx::Result<Key> {
    Ok(Key {
        receiver: row.try_get("receiver")?,
        position: row.try_get("position")?,
        part: row.try_get("part")?,
        piece: row.try_get("piece")?,
    })
}

fn delivery(row: &PgRow) -> sqlx::Result<Delivery> {
    let attempts: i32 = row.try_get("attempts")?;
    Ok(Delivery {
        key: key(row)?,
        id: row.try_get("id")?,
        wa_ids: row.try_get("wa_ids")?,
        body_id: row.try_get("body_id")?,
        body: None,
        attempts: u32::try_from(attempts).unwrap_or(0),
        not_before: row.try_get("not_before")?,
    })
}

/// Deliveries that somebody made due again a moment ago: by a replay, another address, an enabled webhook.
pub(super) async fn brought_forward(pool: &PgPool, tenant: TenantId) -> Result<Vec<(Key, DateTime<Utc>)>, Unavailable> {
    let sql = "SELECT receiver, position, part, piece, not_before FROM outbound.deliveries \
               WHERE tenant_id = $1 AND state = 'pending' AND body_id IS NOT NULL AND not_before > made_at \
                   AND not_before BETWEEN now() - interval '10 seconds' AND now() LIMIT 5000";
    let rows = sqlx::query(sql).bind(tenant.0).fetch_all(pool).await.map_err(unavailable)?;
    let rows = rows.iter().map(|row| Ok((key(row)?, row.try_get("not_before")?)));
    rows.collect::<sqlx::Result<_>>().map_err(unavailable)
}

/// Bodies, by id.
pub(super) async fn bodies(
    pool: &PgPool,
    tenant: TenantId,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, Arc<str>>, Unavailable> {
    let sql = "SELECT id, body FROM outbound.bodies WHERE tenant_id = $1 AND id = ANY($2)";
    let rows: Vec<(Uuid, String)> =
        sqlx::query_as(sql).bind(tenant.0).bind(ids).fetch_all(pool).await.map_err(unavailable)?;
    Ok(rows.into_iter().map(|(id, body)| (id, body.into())).collect())
}

/// Forgets what is pending for receivers that are deleted.
pub(super) async fn forget(pool: &PgPool, tenant: TenantId, fence: i64, gone: &[i64]) -> Result<(), Unavailable> {
    let sql = "DELETE FROM outbound.deliveries d WHERE d.tenant_id = $1 AND d.receiver = ANY($2) \
                   AND d.state = 'pending' AND EXISTS (SELECT FROM outbound.cursors c \
                       WHERE c.tenant_id = $1 AND c.reactor = $4 AND c.fence = $3)";
    sqlx::query(sql).bind(tenant.0).bind(gone).bind(fence).bind(REACTOR).execute(pool).await.map_err(unavailable)?;
    Ok(())
}

/// The receivers that have had only failures for so long, and since when, POSIX seconds.
pub(super) async fn failing(
    pool: &PgPool,
    tenants: &[Uuid],
    longer_than: Duration,
) -> Result<Vec<(Uuid, i64, i64)>, Unavailable> {
    let sql = "SELECT tenant_id, receiver, floor(extract(epoch FROM since))::bigint FROM outbound.failing \
               WHERE tenant_id = ANY($1) AND since < now() - make_interval(secs => $2) LIMIT 100";
    let bound = sqlx::query_as(sql).bind(tenants).bind(longer_than.as_secs_f64());
    bound.fetch_all(pool).await.map_err(unavailable)
}

/// A mark that follows from deliveries.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct Mark {
    pub(super) tenant_id: Uuid,
    pub(super) wa_id: String,
    pub(super) user_id: i64,
    pub(super) timestamp: i64,
}

/// Marks that are not in the ledger yet.
pub(super) async fn marks(pool: &PgPool, tenants: &[Uuid]) -> Result<Vec<Mark>, Unavailable> {
    let sql = "SELECT tenant_id, wa_id, user_id, timestamp FROM outbound.marks WHERE tenant_id = ANY($1) LIMIT 5000";
    sqlx::query_as(sql).bind(tenants).fetch_all(pool).await.map_err(unavailable)
}

/// Forgets marks that are in the ledger, unless they grew meanwhile.
pub(super) async fn marked(pool: &PgPool, marks: &[Mark]) -> Result<(), Unavailable> {
    let sql = "DELETE FROM outbound.marks m \
               USING unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[]) AS n (tenant_id, wa_id, user_id, at) \
               WHERE m.tenant_id = n.tenant_id AND m.wa_id = n.wa_id AND m.user_id = n.user_id AND m.timestamp = n.at";
    sqlx::query(sql)
        .bind(marks.iter().map(|mark| mark.tenant_id).collect::<Vec<_>>())
        .bind(marks.iter().map(|mark| mark.wa_id.as_str()).collect::<Vec<_>>())
        .bind(marks.iter().map(|mark| mark.user_id).collect::<Vec<_>>())
        .bind(marks.iter().map(|mark| mark.timestamp).collect::<Vec<_>>())
        .execute(pool)
        .await
        .map_err(unavailable)?;
    Ok(())
}

/// Forgets some deliveries that were made long ago; how many.
pub(super) async fn sweep(pool: &PgPool, tenant: Uuid, keep: Duration, most: i64) -> Result<u64, Unavailable> {
    let sql = "DELETE FROM outbound.deliveries WHERE ctid = ANY(ARRAY(\
                   SELECT ctid FROM outbound.deliveries WHERE tenant_id = $1 AND state = 'delivered' \
                       AND done_at < now() - make_interval(secs => $2) ORDER BY done_at LIMIT $3)) \
               AND state = 'delivered'";
    let bound = sqlx::query(sql).bind(tenant).bind(keep.as_secs_f64()).bind(most);
    Ok(bound.execute(pool).await.map_err(unavailable)?.rows_affected())
}

/// Forgets some bodies that no delivery names; how many. One that is being named again is made young by that.
pub(super) async fn sweep_bodies(pool: &PgPool, tenant: Uuid, most: i64) -> Result<u64, Unavailable> {
    let sql = "DELETE FROM outbound.bodies o WHERE o.tenant_id = $1 AND o.made_at < now() - interval '1 hour' \
                   AND o.id = ANY(ARRAY(SELECT b.id FROM outbound.bodies b \
                       WHERE b.tenant_id = $1 AND b.made_at < now() - interval '1 hour' \
                           AND NOT EXISTS (SELECT FROM outbound.deliveries d \
                               WHERE d.tenant_id = $1 AND d.body_id = b.id) LIMIT $2))";
    Ok(sqlx::query(sql).bind(tenant).bind(most).execute(pool).await.map_err(unavailable)?.rows_affected())
}

/// How many deliveries are pending, and how many seconds the oldest has been.
pub(super) async fn backlog(pool: &PgPool, tenants: &[Uuid]) -> Result<(i64, f64), Unavailable> {
    let sql = "SELECT count(*), coalesce(extract(epoch FROM now() - min(made_at)), 0)::float8 \
               FROM outbound.deliveries WHERE tenant_id = ANY($1) AND state = 'pending'";
    sqlx::query_as(sql).bind(tenants).fetch_one(pool).await.map_err(unavailable)
}

pub(super) fn unavailable(error: sqlx::Error) -> Unavailable {
    Unavailable::new("the deliveries' tables", error)
}
