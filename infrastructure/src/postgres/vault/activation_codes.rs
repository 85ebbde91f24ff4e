//! Codes that activate users, by their hash alone.

use chatledger_domain::{TenantId, UserId};
use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;

use super::look_up_hash;

pub(super) async fn put(
    pool: &PgPool,
    tenant: TenantId,
    user: UserId,
    code: &str,
    until: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO vault.activation_codes (tenant_id, user_id, code_hash, valid_until) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (tenant_id, user_id) DO UPDATE \
         SET code_hash = excluded.code_hash, valid_until = excluded.valid_until",
    )
    .bind(tenant.0)
    .bind(user.0)
    .bind(look_up_hash(code))
    .bind(until)
    .execute(pool)
    .await?;
    Ok(())
}

pub(super) async fn user_of(
    pool: &PgPool,
    tenants: &[TenantId],
    code: &str,
    now: DateTime<Utc>,
) -> Result<Option<(TenantId, UserId)>, sqlx::Error> {
    let tenants: Vec<Uuid> = tenants.iter().map(|tenant| tenant.0).collect();
    let found: Option<(Uuid, i64)> = sqlx::query_as(
        "SELECT tenant_id, user_id FROM vault.activation_codes \
         WHERE tenant_id = ANY ($1) AND code_hash = $2 AND valid_until > $3 LIMIT 1",
    )
    .bind(tenants)
    .bind(look_up_hash(code))
    .bind(now)
    .fetch_optional(pool)
    .await?;
    Ok(found.map(|(tenant, user)| (TenantId(tenant), UserId(user))))
}

pub(super) async fn forget(pool: &PgPool, tenant: TenantId, user: UserId) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM vault.activation_codes WHERE tenant_id = $1 AND user_id = $2")
        .bind(tenant.0)
        .bind(user.0)
        .execute(pool)
        .await?;
    Ok(())
}
