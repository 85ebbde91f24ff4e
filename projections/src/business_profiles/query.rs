//! Reads the business profile.

use chatledger_application::ports::Unavailable;
use chatledger_domain::{TenantId, business_profile::Profile};
use sqlx::{PgConnection, Row};

use crate::inbox::Inbox;

impl Inbox {
    /// The business profile, once WhatsApp has told it.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn business_profile(&self, tenant: TenantId) -> Result<Option<Profile>, Unavailable> {
        self.ask(tenant, async |db| profile(db, tenant).await).await
    }
}

async fn profile(db: &mut PgConnection, tenant: TenantId) -> Result<Option<Profile>, sqlx::Error> {
    let sql = "SELECT about, address, description, email, vertical, websites FROM read_models.business_profiles
               WHERE tenant_id = $1";
    let Some(row) = sqlx::query(sql).bind(tenant.0).fetch_optional(db).await? else { return Ok(None) };
    Ok(Some(Profile {
        about: row.try_get("about")?,
        address: row.try_get("address")?,
        description: row.try_get("description")?,
        email: row.try_get("email")?,
        vertical: row.try_get("vertical")?,
        websites: row.try_get("websites")?,
    }))
}
