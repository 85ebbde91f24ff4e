//! Reads the account of an inbox.

use chatledger_application::ports::Unavailable;
use chatledger_domain::{AccountId, Position, TenantId, whatsapp_account::Tier};
use chrono::NaiveDate;
use sqlx::{PgConnection, Row, postgres::PgRow};

use super::{AccountStatus, WhatsAppAccountView};
use crate::Inbox;

impl Inbox {
    /// The newest connection, with what was sent on a day; `None` where there never was one.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn whatsapp_account(
        &self,
        tenant: TenantId,
        day: NaiveDate,
    ) -> Result<Option<WhatsAppAccountView>, Unavailable> {
        self.ask(tenant, async |db| account(db, tenant, day).await).await
    }
}

async fn account(
    db: &mut PgConnection,
    tenant: TenantId,
    day: NaiveDate,
) -> Result<Option<WhatsAppAccountView>, sqlx::Error> {
    let sql = "SELECT a.connected_at, a.phone_number_id, a.webhook_url, a.is_connected, a.is_refused, a.tier, a.since,
                   coalesce((SELECT d.customers FROM read_models.template_days d
                              WHERE d.tenant_id = $1 AND d.day = $2), 0) AS used
               FROM read_models.whatsapp_accounts a WHERE a.tenant_id = $1";
    let row = sqlx::query(sql).bind(tenant.0).bind(day).fetch_optional(db).await?;
    row.map(|row| view(tenant, &row)).transpose()
}

fn view(tenant: TenantId, row: &PgRow) -> Result<WhatsAppAccountView, sqlx::Error> {
    let status = match (row.try_get("is_connected")?, row.try_get("is_refused")?) {
        (false, _) => AccountStatus::Disconnected,
        (true, true) => AccountStatus::Error,
        (true, false) => AccountStatus::Active,
    };
    Ok(WhatsAppAccountView {
        id: AccountId::of_connection(tenant, Position(row.try_get("connected_at")?)),
        phone_number_id: row.try_get("phone_number_id")?,
        webhook_url: row.try_get("webhook_url")?,
        status,
        tier: Tier::named(row.try_get("tier")?).unwrap_or_default(),
        used: u32::try_from(row.try_get::<i64, _>("used")?).unwrap_or(u32::MAX),
        connected_at: row.try_get("since")?,
    })
}
