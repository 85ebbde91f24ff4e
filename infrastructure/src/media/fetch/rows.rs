//! The statements of the fetcher. All times are the database's, so that servers agree.

use std::time::Duration;

use chatledger_domain::{MediaId, MessageId, TenantId};
use sqlx::{FromRow, PgPool, postgres::types::PgInterval};
use uuid::Uuid;

/// A claimed row.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Fetch {
    tenant_id: Uuid,
    media_id: Uuid,
    pub(super) position: i64,
    pub(super) wa_id: String,
    message_id: Uuid,
    pub(super) waba_id: String,
    pub(super) mime_type: Option<String>,
    pub(super) sha256: Option<String>,
    pub(super) filename: Option<String>,
    pub(super) attempts: i32,
    fence: i64,
    /// Seconds since the message came.
    pub(super) age: f64,
}

impl Fetch {
    pub(super) fn tenant(&self) -> TenantId {
        TenantId(self.tenant_id)
    }

    pub(super) fn media(&self) -> MediaId {
        MediaId(self.media_id)
    }

    pub(super) fn message(&self) -> MessageId {
        MessageId(self.message_id)
    }
}

/// Claims rows whose time has come and that nobody alive holds.
pub(super) async fn claim(pool: &PgPool, limit: i64, lease: Duration) -> sqlx::Result<Vec<Fetch>> {
    sqlx::query_as(
        "WITH due AS (\
             SELECT tenant_id, media_id FROM outbound.fetches \
             WHERE not_before <= now() AND (lease_until IS NULL OR lease_until < now()) \
             ORDER BY not_before, position LIMIT $1 FOR UPDATE SKIP LOCKED\
         ) UPDATE outbound.fetches f \
         SET attempts = f.attempts + 1, fence = f.fence + 1, lease_until = now() + $2 \
         FROM due WHERE f.tenant_id = due.tenant_id AND f.media_id = due.media_id \
         RETURNING f.tenant_id, f.media_id, f.position, f.wa_id, f.message_id, f.waba_id, f.mime_type, f.sha256, \
             f.filename, f.attempts, f.fence, extract(epoch FROM now() - f.queued_at)::float8 AS age",
    )
    .bind(limit)
    .bind(interval(lease))
    .fetch_all(pool)
    .await
}

/// Keeps a row ours; whether it still was.
pub(super) async fn extend(pool: &PgPool, row: &Fetch, lease: Duration) -> sqlx::Result<bool> {
    let statement = "UPDATE outbound.fetches SET lease_until = now() + $4 \
                     WHERE tenant_id = $1 AND media_id = $2 AND fence = $3";
    let bound = sqlx::query(statement).bind(row.tenant_id).bind(row.media_id).bind(row.fence);
    Ok(bound.bind(interval(lease)).execute(pool).await?.rows_affected() == 1)
}

/// Puts a row back for later.
pub(super) async fn later(pool: &PgPool, row: &Fetch, after: Duration) -> sqlx::Result<()> {
    let statement = "UPDATE outbound.fetches SET lease_until = NULL, not_before = now() + $4 \
                     WHERE tenant_id = $1 AND media_id = $2 AND fence = $3";
    let bound = sqlx::query(statement).bind(row.tenant_id).bind(row.media_id).bind(row.fence);
    bound.bind(interval(after)).execute(pool).await?;
    Ok(())
}

/// Forgets a row whose end is recorded, whoever holds it.
pub(super) async fn done(pool: &PgPool, row: &Fetch) -> sqlx::Result<()> {
    let statement = "DELETE FROM outbound.fetches WHERE tenant_id = $1 AND media_id = $2";
    sqlx::query(statement).bind(row.tenant_id).bind(row.media_id).execute(pool).await?;
    Ok(())
}

fn interval(duration: Duration) -> PgInterval {
    PgInterval { months: 0, days: 0, microseconds: i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 2) }
}
