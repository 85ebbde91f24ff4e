//! Daily limits on Postgres: a row for each day of a tenant, locked while somebody is counted, and one for each customer.

use async_trait::async_trait;
use chatledger_application::ports::{
    Unavailable,
    daily_limits::{Counted, DailyLimits},
};
use chatledger_domain::{TenantId, WaId};
use chrono::NaiveDate;
use sqlx::PgPool;

/// Daily limits on Postgres.
#[derive(Clone, Debug)]
pub struct PgDailyLimits {
    pool: PgPool,
}

fn unavailable(error: sqlx::Error) -> Unavailable {
    Unavailable::new("the daily counts", error)
}

impl PgDailyLimits {
    /// Over a pool.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Removes what was counted on a tenant's days before this one.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn forget_before(&self, tenant: TenantId, day: NaiveDate) -> Result<(), Unavailable> {
        for table in ["outbound.template_days", "outbound.template_day_customers"] {
            let sql = format!("DELETE FROM {table} WHERE tenant_id = $1 AND day < $2");
            sqlx::query(&sql).bind(tenant.0).bind(day).execute(&self.pool).await.map_err(unavailable)?;
        }
        Ok(())
    }
}

#[async_trait]
impl DailyLimits for PgDailyLimits {
    async fn count(
        &self,
        tenant: TenantId,
        day: NaiveDate,
        wa_id: &WaId,
        limit: u32,
        used: Option<u32>,
    ) -> Result<Counted, Unavailable> {
        let counted: Option<bool> = sqlx::query_scalar("SELECT outbound.count_customer($1, $2, $3, $4, $5)")
            .bind(tenant.0)
            .bind(day)
            .bind(wa_id.as_str())
            .bind(i64::from(limit))
            .bind(used.map(i64::from))
            .fetch_one(&self.pool)
            .await
            .map_err(unavailable)?;
        Ok(match counted {
            Some(true) => Counted::Yes,
            Some(false) => Counted::Full,
            None => Counted::Unknown,
        })
    }
}
