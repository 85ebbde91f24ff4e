//! Finds media.

use chatledger_application::ports::{
    Unavailable,
    read_models::{MediaRef, StoredBlob},
};
use chatledger_domain::{BlobId, MediaId, TenantId};
use sqlx::{PgConnection, Row, postgres::PgRow};
use uuid::Uuid;

use crate::{Inbox, inbox::counted};

/// The counter of what uploads fill.
pub(super) const BYTES: &str = "media:bytes";

fn view(row: &PgRow) -> Result<MediaRef, sqlx::Error> {
    let stored = match row.try_get::<Option<Uuid>, _>("blob")? {
        None => None,
        Some(blob) => Some(StoredBlob {
            blob: BlobId(blob),
            mime_type: row.try_get("mime_type")?,
            size: row.try_get::<i64, _>("size")?.unsigned_abs(),
            sha256: row.try_get("sha256")?,
            filename: row.try_get("filename")?,
        }),
    };
    Ok(MediaRef { id: MediaId(row.try_get("media_id")?), stored, has_failed: row.try_get("has_failed")? })
}

/// A file by our id or WhatsApp's. Both may look alike; ours wins.
pub(crate) async fn media(db: &mut PgConnection, tenant: TenantId, id: &str) -> Result<Option<MediaRef>, sqlx::Error> {
    let theirs = MediaId::of_waba(tenant, id).0;
    let ours = Uuid::try_parse(id).unwrap_or(theirs);
    let sql = "SELECT media_id, blob, mime_type, size, sha256, filename, has_failed FROM read_models.media
               WHERE tenant_id = $1 AND media_id IN ($2, $3) ORDER BY media_id <> $2 LIMIT 1";
    let row = sqlx::query(sql).bind(tenant.0).bind(ours).bind(theirs).fetch_optional(db).await?;
    row.as_ref().map(view).transpose()
}

/// How many bytes the uploads fill.
pub(crate) async fn bytes(db: &mut PgConnection, tenant: TenantId) -> Result<u64, sqlx::Error> {
    Ok(counted(db, tenant, BYTES).await?.unsigned_abs())
}

impl Inbox {
    /// A file by our id or WhatsApp's, whatever became of it.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn media(&self, tenant: TenantId, id: &str) -> Result<Option<MediaRef>, Unavailable> {
        self.ask(tenant, async |db| media(db, tenant, id).await).await
    }
}
