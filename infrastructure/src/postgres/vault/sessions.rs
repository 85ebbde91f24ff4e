//! Sessions and refresh tokens: rows that are found by the hash of a secret, and end by time.

use chatledger_application::ports::vault::Session;
use chatledger_domain::{TenantId, UserId};
use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;

use super::look_up_hash;

type Answer<T> = Result<T, sqlx::Error>;

pub(super) async fn open(pool: &PgPool, id: &str, session: &Session) -> Answer<()> {
    sqlx::query(
        "WITH expired AS (DELETE FROM vault.sessions WHERE tenant_id = $1 AND expires_at <= $4)
         INSERT INTO vault.sessions (tenant_id, session_hash, user_id, created_at, last_seen_at, expires_at)
         VALUES ($1, $2, $3, $4, $4, $5)",
    )
    .bind(session.tenant.0)
    .bind(look_up_hash(id))
    .bind(session.user.0)
    .bind(session.last_seen_at)
    .bind(session.expires_at)
    .execute(pool)
    .await?;
    Ok(())
}

pub(super) async fn find(pool: &PgPool, tenants: &[TenantId], id: &str) -> Answer<Option<Session>> {
    let found: Option<(Uuid, i64, DateTime<Utc>, DateTime<Utc>)> = sqlx::query_as(
        "SELECT tenant_id, user_id, last_seen_at, expires_at FROM vault.sessions
         WHERE tenant_id = ANY ($1) AND session_hash = $2 LIMIT 1",
    )
    .bind(uuids(tenants))
    .bind(look_up_hash(id))
    .fetch_optional(pool)
    .await?;
    let session = |(tenant, user, last_seen_at, expires_at)| Session {
        tenant: TenantId(tenant),
        user: UserId(user),
        last_seen_at,
        expires_at,
    };
    Ok(found.map(session))
}

pub(super) async fn touch(pool: &PgPool, tenant: TenantId, id: &str, seen_at: DateTime<Utc>) -> Answer<()> {
    let sql = "UPDATE vault.sessions SET last_seen_at = greatest(last_seen_at, $3)
               WHERE tenant_id = $1 AND session_hash = $2";
    sqlx::query(sql).bind(tenant.0).bind(look_up_hash(id)).bind(seen_at).execute(pool).await?;
    Ok(())
}

pub(super) async fn end(pool: &PgPool, tenant: TenantId, id: &str) -> Answer<()> {
    let sql = "DELETE FROM vault.sessions WHERE tenant_id = $1 AND session_hash = $2";
    sqlx::query(sql).bind(tenant.0).bind(look_up_hash(id)).execute(pool).await?;
    Ok(())
}

pub(super) async fn end_all(pool: &PgPool, tenant: TenantId, user: UserId) -> Answer<()> {
    let sql = "DELETE FROM vault.sessions WHERE tenant_id = $1 AND user_id = $2";
    sqlx::query(sql).bind(tenant.0).bind(user.0).execute(pool).await?;
    Ok(())
}

pub(super) async fn add_refresh_token(
    pool: &PgPool,
    (tenant, user): (TenantId, UserId),
    token: &str,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Answer<()> {
    sqlx::query(
        "WITH expired AS (DELETE FROM vault.refresh_tokens WHERE tenant_id = $1 AND expires_at <= $4)
         INSERT INTO vault.refresh_tokens (tenant_id, token_hash, user_id, expires_at) VALUES ($1, $2, $3, $5)",
    )
    .bind(tenant.0)
    .bind(look_up_hash(token))
    .bind(user.0)
    .bind(now)
    .bind(expires_at)
    .execute(pool)
    .await?;
    Ok(())
}

/// The deletion is the use: of parallel ones, the database lets one find the row.
pub(super) async fn use_refresh_token(
    pool: &PgPool,
    tenants: &[TenantId],
    token: &str,
    keep: bool,
    now: DateTime<Utc>,
) -> Answer<Option<(TenantId, UserId)>> {
    let sql = if keep {
        "SELECT tenant_id, user_id FROM vault.refresh_tokens
         WHERE tenant_id = ANY ($1) AND token_hash = $2 AND expires_at > $3"
    } else {
        "DELETE FROM vault.refresh_tokens
         WHERE tenant_id = ANY ($1) AND token_hash = $2 AND expires_at > $3 RETURNING tenant_id, user_id"
    };
    let found: Option<(Uuid, i64)> =
        sqlx::query_as(sql).bind(uuids(tenants)).bind(look_up_hash(token)).bind(now).fetch_optional(pool).await?;
    Ok(found.map(|(tenant, user)| (TenantId(tenant), UserId(user))))
}

fn uuids(tenants: &[TenantId]) -> Vec<Uuid> {
    tenants.iter().map(|tenant| tenant.0).collect()
}
