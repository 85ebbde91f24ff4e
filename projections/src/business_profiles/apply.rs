//! Folds the events of a business profile into its one row.

use async_trait::async_trait;
use chatledger_domain::{
    AnyEvent, TenantId,
    business_profile::{BusinessProfileEvent, Profile, ProfilePhoto},
};
use sqlx::PgConnection;

use crate::{
    engine::{Batch, Projection, ProjectionError, Table},
    text::clean,
};

/// The read model `business_profiles`.
pub(crate) struct BusinessProfiles;

#[async_trait]
impl Projection for BusinessProfiles {
    fn name(&self) -> &'static str {
        "business_profiles"
    }

    fn tables(&self) -> &'static [Table] {
        const TABLES: &[Table] = &[Table::small("business_profiles"), Table::small("profile_photos")];
        TABLES
    }

    fn definition(&self) -> &'static [&'static str] {
        &[include_str!("apply.rs")]
    }

    async fn apply(&self, db: &mut PgConnection, batch: &Batch<'_>) -> Result<(), ProjectionError> {
        let (mut last, mut photo) = (None, None);
        for recorded in &batch.events {
            match &recorded.event {
                AnyEvent::BusinessProfile(BusinessProfileEvent::BusinessProfileChanged(e)) => last = Some(&e.profile),
                AnyEvent::BusinessProfile(BusinessProfileEvent::BusinessProfileSeen(e)) => last = Some(&e.profile),
                AnyEvent::BusinessProfile(BusinessProfileEvent::ProfilePhotoChanged(e)) => photo = Some(Some(&e.photo)),
                AnyEvent::BusinessProfile(BusinessProfileEvent::ProfilePhotoSeen(e)) => photo = Some(e.photo.as_ref()),
                AnyEvent::BusinessProfile(BusinessProfileEvent::ProfilePhotoRemoved(_)) => photo = Some(None),
                _ => {}
            }
        }
        if let Some(profile) = last {
            put(&mut *db, batch.tenant, profile).await?;
        }
        if let Some(photo) = photo {
            show(db, batch.tenant, photo).await?;
        }
        Ok(())
    }
}

async fn put(db: &mut PgConnection, tenant: TenantId, profile: &Profile) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO business_profiles
             (tenant_id, about, address, description, email, vertical, websites)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (tenant_id) DO UPDATE SET about = $2, address = $3, description = $4, email = $5, vertical = $6,
             websites = $7",
    )
    .bind(tenant.0)
    .bind(clean(&profile.about))
    .bind(clean(&profile.address))
    .bind(clean(&profile.description))
    .bind(clean(&profile.email))
    .bind(clean(&profile.vertical))
    .bind(profile.websites.iter().map(|website| clean(website).into_owned()).collect::<Vec<_>>())
    .execute(db)
    .await?;
    Ok(())
}

async fn show(db: &mut PgConnection, tenant: TenantId, photo: Option<&ProfilePhoto>) -> Result<(), sqlx::Error> {
    let Some(photo) = photo else {
        let sql = "DELETE FROM profile_photos WHERE tenant_id = $1";
        sqlx::query(sql).bind(tenant.0).execute(db).await?;
        return Ok(());
    };
    sqlx::query(
        "INSERT INTO profile_photos (tenant_id, blob, mime_type, size, sha256) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (tenant_id) DO UPDATE SET blob = $2, mime_type = $3, size = $4, sha256 = $5",
    )
    .bind(tenant.0)
    .bind(photo.blob.0)
    .bind(clean(&photo.mime_type))
    .bind(i64::try_from(photo.size).unwrap_or(i64::MAX))
    .bind(clean(&photo.sha256))
    .execute(db)
    .await?;
    Ok(())
}
