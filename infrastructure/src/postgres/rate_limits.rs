//! Rate limits that hold over all servers of a database: one statement a request.

use async_trait::async_trait;
use chatledger_application::ports::{
    Unavailable,
    rate_limits::{Rate, RateLimits, WINDOW},
};
use chatledger_domain::TenantId;
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgPool;

/// Counters in the database.
#[derive(Clone, Debug)]
pub struct PgRateLimits {
    pool: PgPool,
}

impl PgRateLimits {
    /// Counters in this database.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Forgets windows that ended before.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn forget(&self, before: DateTime<Utc>) -> Result<u64, sqlx::Error> {
        let sql = "DELETE FROM outbound.rate_limits WHERE begun_at < $1 - make_interval(secs => $2)";
        Ok(sqlx::query(sql).bind(before).bind(WINDOW as f64).execute(&self.pool).await?.rows_affected())
    }
}

#[async_trait]
impl RateLimits for PgRateLimits {
    async fn take(&self, tenant: TenantId, key: &str, limit: u32, now: DateTime<Utc>) -> Result<Rate, Unavailable> {
        let limited = i32::try_from(limit).unwrap_or(i32::MAX);
        // A row comes back for a request that is let through; it is left as it is for one that is not.
        let taken: Option<(DateTime<Utc>, i32)> = sqlx::query_as(
            "INSERT INTO outbound.rate_limits AS r (tenant_id, key, begun_at, requests) VALUES ($1, $2, $3, 1)
             ON CONFLICT (tenant_id, key) DO UPDATE SET
                 begun_at = CASE WHEN r.begun_at <= $4 THEN excluded.begun_at ELSE r.begun_at END,
                 requests = CASE WHEN r.begun_at <= $4 THEN 1 ELSE r.requests + 1 END
             WHERE r.begun_at <= $4 OR r.requests < $5
             RETURNING begun_at, requests",
        )
        .bind(tenant.0)
        .bind(key)
        .bind(now)
        .bind(now - TimeDelta::seconds(WINDOW))
        .bind(limited)
        .fetch_optional(&self.pool)
        .await
        .map_err(unavailable)?;
        let ends = |begun_at: DateTime<Utc>| begun_at + TimeDelta::seconds(WINDOW);
        if let Some((begun_at, requests)) = taken {
            let remaining = limit.saturating_sub(u32::try_from(requests).unwrap_or_default());
            return Ok(Rate { within: true, limit, remaining, resets_at: ends(begun_at) });
        }
        let begun_at: Option<DateTime<Utc>> =
            sqlx::query_scalar("SELECT begun_at FROM outbound.rate_limits WHERE tenant_id = $1 AND key = $2")
                .bind(tenant.0)
                .bind(key)
                .fetch_optional(&self.pool)
                .await
                .map_err(unavailable)?;
        Ok(Rate { within: false, limit, remaining: 0, resets_at: ends(begun_at.unwrap_or(now)) })
    }
}

fn unavailable(error: sqlx::Error) -> Unavailable {
    Unavailable::new("the rate limits", error)
}
