//! Reads what was sent on a day.

use chatledger_application::ports::daily_limits::TemplateDay;
use chatledger_domain::{TenantId, WaId};
use chrono::NaiveDate;
use sqlx::PgConnection;

/// A day, for one customer.
pub(crate) async fn template_day(
    db: &mut PgConnection,
    tenant: TenantId,
    day: NaiveDate,
    wa_id: &WaId,
) -> Result<TemplateDay, sqlx::Error> {
    let sql = "SELECT coalesce((SELECT d.customers FROM read_models.template_days d
                                 WHERE d.tenant_id = $1 AND d.day = $2), 0),
                      EXISTS (SELECT FROM read_models.template_day_customers c
                               WHERE c.tenant_id = $1 AND c.day = $2 AND c.wa_id = $3)";
    let (customers, has_customer): (i64, bool) =
        sqlx::query_as(sql).bind(tenant.0).bind(day).bind(wa_id.as_str()).fetch_one(db).await?;
    Ok(TemplateDay { customers: u32::try_from(customers).unwrap_or(u32::MAX), has_customer })
}
