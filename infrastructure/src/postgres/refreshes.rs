//! Refreshes on Postgres: one row for each tenant, subject and account.

use std::time::Duration;

use async_trait::async_trait;
use chatledger_application::ports::{
    Unavailable,
    refreshes::{Freshness, Refreshes, Subject},
};
use chatledger_domain::TenantId;
use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;

/// Refreshes on Postgres.
#[derive(Clone, Debug)]
pub struct PgRefreshes {
    pool: PgPool,
}

impl PgRefreshes {
    /// Over a pool.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

fn unavailable(error: sqlx::Error) -> Unavailable {
    Unavailable::new("the database", error)
}

#[async_trait]
impl Refreshes for PgRefreshes {
    async fn begin(
        &self,
        tenant: TenantId,
        subject: Subject,
        account: &str,
        lease: Duration,
    ) -> Result<Option<Uuid>, Unavailable> {
        sqlx::query_scalar(
            "INSERT INTO outbound.refreshes AS r (tenant_id, subject, account, ticket, begun_at, lease_until)
             VALUES ($1, $2, $3, $4, now(), now() + make_interval(secs => $5))
             ON CONFLICT (tenant_id, subject, account)
             DO UPDATE SET ticket = excluded.ticket, begun_at = excluded.begun_at, lease_until = excluded.lease_until
             WHERE r.lease_until IS NULL OR r.lease_until < now() RETURNING ticket",
        )
        .bind(tenant.0)
        .bind(subject.as_str())
        .bind(account)
        .bind(Uuid::new_v4())
        .bind(lease.as_secs_f64())
        .fetch_optional(&self.pool)
        .await
        .map_err(unavailable)
    }

    async fn end(
        &self,
        tenant: TenantId,
        subject: Subject,
        ticket: Uuid,
        refreshed_at: Option<DateTime<Utc>>,
    ) -> Result<(), Unavailable> {
        sqlx::query(
            "UPDATE outbound.refreshes SET lease_until = NULL, refreshed_at = coalesce($4, refreshed_at)
             WHERE tenant_id = $1 AND subject = $2 AND ticket = $3",
        )
        .bind(tenant.0)
        .bind(subject.as_str())
        .bind(ticket)
        .bind(refreshed_at)
        .execute(&self.pool)
        .await
        .map_err(unavailable)?;
        Ok(())
    }

    async fn freshness(&self, tenant: TenantId, subject: Subject, account: &str) -> Result<Freshness, Unavailable> {
        let row: Option<(bool, Option<DateTime<Utc>>, DateTime<Utc>)> = sqlx::query_as(
            "SELECT coalesce(lease_until > now(), false), refreshed_at, begun_at FROM outbound.refreshes
             WHERE tenant_id = $1 AND subject = $2 AND account = $3",
        )
        .bind(tenant.0)
        .bind(subject.as_str())
        .bind(account)
        .fetch_optional(&self.pool)
        .await
        .map_err(unavailable)?;
        Ok(row.map_or_else(Freshness::default, |(is_refreshing, refreshed_at, begun_at)| Freshness {
            is_refreshing,
            refreshed_at,
            begun_at: Some(begun_at),
        }))
    }
}
