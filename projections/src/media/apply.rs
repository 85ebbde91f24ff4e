//! Folds messages that bring files, and what became of the files.

use async_trait::async_trait;
use chatledger_domain::{
    AnyEvent, MediaId, TenantId,
    chat::ChatEvent,
    media::{IncomingFile, MediaEvent, MediaOrigin, MediaStored},
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::query::BYTES;
use crate::{
    engine::{Batch, Projection, ProjectionError, Table, count_rows},
    text::clean,
};

/// The read model `media`.
pub(crate) struct Media;

#[async_trait]
impl Projection for Media {
    fn name(&self) -> &'static str {
        "media"
    }

    fn tables(&self) -> &'static [Table] {
        const TABLES: &[Table] = &[Table::looked_up("media", &["media_pkey"])];
        TABLES
    }

    fn definition(&self) -> &'static [&'static str] {
        &[include_str!("apply.rs"), include_str!("../../../domain/src/media/incoming.rs")]
    }

    async fn apply(&self, db: &mut PgConnection, batch: &Batch<'_>) -> Result<(), ProjectionError> {
        let mut expected = Expected::default();
        for recorded in &batch.events {
            let event = match &recorded.event {
                AnyEvent::Media(event) => event,
                AnyEvent::Chat(event) => {
                    expected.file(batch.tenant, event);
                    continue;
                }
                _ => continue,
            };
            expected.write(&mut *db, batch.tenant).await?;
            let Ok(media) = recorded.stream.aggregate_id.parse::<MediaId>() else {
                let reason = "its stream is not a medium's id".to_owned();
                return Err(ProjectionError::Event { position: recorded.position, reason });
            };
            match event {
                MediaEvent::MediaStored(e) => {
                    store(&mut *db, batch, media, e).await?;
                    if let MediaOrigin::Upload { .. } = e.origin {
                        let size = i64::try_from(e.size).unwrap_or(i64::MAX);
                        count_rows(&mut *db, batch.tenant, BYTES, size).await?;
                    }
                }
                MediaEvent::MediaFetchFailed(_) => {
                    let sql = "UPDATE media SET has_failed = true WHERE tenant_id = $1 AND media_id = $2";
                    sqlx::query(sql).bind(batch.tenant.0).bind(media.0).execute(&mut *db).await?;
                }
                MediaEvent::MediaErased(_) => erase(&mut *db, batch, media).await?,
            }
        }
        Ok(expected.write(db, batch.tenant).await?)
    }
}

/// Files that messages bring are expected from then on.
#[derive(Default)]
struct Expected {
    ids: Vec<Uuid>,
    waba_ids: Vec<String>,
}

impl Expected {
    fn file(&mut self, tenant: TenantId, event: &ChatEvent) {
        if let Some(file) = IncomingFile::of(event) {
            self.ids.push(MediaId::of_waba(tenant, &file.waba_id).0);
            self.waba_ids.push(file.waba_id);
        }
    }

    /// Writes those that are waiting.
    async fn write(&mut self, db: &mut PgConnection, tenant: TenantId) -> Result<(), sqlx::Error> {
        let Self { ids, waba_ids } = std::mem::take(self);
        if ids.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO media (tenant_id, media_id, waba_id, has_failed)
             SELECT $1, n.media_id, n.waba_id, false FROM unnest($2::uuid[], $3::text[]) AS n (media_id, waba_id)
             ON CONFLICT DO NOTHING",
        )
        .bind(tenant.0)
        .bind(ids)
        .bind(waba_ids)
        .execute(db)
        .await?;
        Ok(())
    }
}

/// Of a file that was forgotten nothing is left; what a user uploaded fills no space any more.
async fn erase(db: &mut PgConnection, batch: &Batch<'_>, media: MediaId) -> Result<(), sqlx::Error> {
    let sql = "DELETE FROM media WHERE tenant_id = $1 AND media_id = $2 RETURNING waba_id IS NULL, size";
    let erased: Option<(bool, Option<i64>)> =
        sqlx::query_as(sql).bind(batch.tenant.0).bind(media.0).fetch_optional(&mut *db).await?;
    let freed = erased.and_then(|(is_upload, size)| size.filter(|_| is_upload)).unwrap_or_default();
    count_rows(db, batch.tenant, BYTES, -freed).await
}

async fn store(
    db: &mut PgConnection,
    batch: &Batch<'_>,
    media: MediaId,
    stored: &MediaStored,
) -> Result<(), sqlx::Error> {
    let waba_id = match &stored.origin {
        MediaOrigin::Message { waba_id, .. } => Some(clean(waba_id)),
        MediaOrigin::Upload { .. } => None,
    };
    sqlx::query(
        "INSERT INTO media
             (tenant_id, media_id, waba_id, blob, mime_type, size, sha256, filename, has_failed)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, false)
         ON CONFLICT (tenant_id, media_id) DO UPDATE SET
             blob = excluded.blob, mime_type = excluded.mime_type, size = excluded.size, sha256 = excluded.sha256,
             filename = excluded.filename, has_failed = false",
    )
    .bind(batch.tenant.0)
    .bind(media.0)
    .bind(waba_id)
    .bind(stored.blob.0)
    .bind(clean(&stored.mime_type))
    .bind(i64::try_from(stored.size).unwrap_or(i64::MAX))
    .bind(clean(&stored.sha256))
    .bind(stored.filename.as_deref().map(clean))
    .execute(db)
    .await?;
    Ok(())
}
