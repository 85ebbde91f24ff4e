//! Reads the business profile.

use chatledger_application::ports::{Unavailable, read_models::StoredBlob};
use chatledger_domain::{BlobId, TenantId, business_profile::Profile};
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

    /// The photo of the profile.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn profile_photo(&self, tenant: TenantId) -> Result<Option<StoredBlob>, Unavailable> {
        self.ask(tenant, async |db| photo(db, tenant).await).await
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

async fn photo(db: &mut PgConnection, tenant: TenantId) -> Result<Option<StoredBlob>, sqlx::Error> {
    let sql = "SELECT blob, mime_type, size, sha256 FROM read_models.profile_photos WHERE tenant_id = $1";
    let Some(row) = sqlx::query(sql).bind(tenant.0).fetch_optional(db).await? else { return Ok(None) };
    Ok(Some(StoredBlob {
        blob: BlobId(row.try_get("blob")?),
        mime_type: row.try_get("mime_type")?,
        size: u64::try_from(row.try_get::<i64, _>("size")?).unwrap_or_default(),
        sha256: row.try_get("sha256")?,
        filename: None,
    }))
}
