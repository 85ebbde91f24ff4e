//! The statements of the reactor: its cursors.

use chatledger_application::ports::Unavailable;
use chatledger_domain::TenantId;
use sqlx::PgPool;

fn unavailable(error: sqlx::Error) -> Unavailable {
    Unavailable::new("the reactor's cursor", error)
}

/// How far a tenant's ledger is read; where it is new, from `head` on: what was marked before is not told.
pub(super) async fn cursor(pool: &PgPool, tenant: TenantId, head: i64) -> Result<i64, Unavailable> {
    sqlx::query("INSERT INTO outbound.cursors VALUES ($1, 'receipts', $2) ON CONFLICT DO NOTHING")
        .bind(tenant.0)
        .bind(head)
        .execute(pool)
        .await
        .map_err(unavailable)?;
    sqlx::query_scalar("SELECT position FROM outbound.cursors WHERE tenant_id = $1 AND reactor = 'receipts'")
        .bind(tenant.0)
        .fetch_one(pool)
        .await
        .map_err(unavailable)
}

/// Moves it, never back: another server may be ahead, and a receipt told twice is as once.
pub(super) async fn advance(pool: &PgPool, tenant: TenantId, to: i64) -> Result<(), Unavailable> {
    sqlx::query(
        "UPDATE outbound.cursors SET position = $2 WHERE tenant_id = $1 AND reactor = 'receipts' AND position < $2",
    )
    .bind(tenant.0)
    .bind(to)
    .execute(pool)
    .await
    .map_err(unavailable)?;
    Ok(())
}
