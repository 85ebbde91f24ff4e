//! Folds the events of a business profile into its one row.

use async_trait::async_trait;
use chatledger_domain::{
    AnyEvent, TenantId,
    business_profile::{BusinessProfileEvent, Profile},
};
use sqlx::PgConnection;

use crate::{
    engine::{Batch, Projection, ProjectionError},
    text::clean,
};

/// The read model `business_profiles`.
pub(crate) struct BusinessProfiles;

#[async_trait]
impl Projection for BusinessProfiles {
    fn name(&self) -> &'static str {
        "business_profiles"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["business_profiles"]
    }

    async fn apply(&self, db: &mut PgConnection, batch: &Batch<'_>) -> Result<(), ProjectionError> {
        let mut last = None;
        for recorded in &batch.events {
            match &recorded.event {
                AnyEvent::BusinessProfile(BusinessProfileEvent::BusinessProfileChanged(e)) => last = Some(&e.profile),
                AnyEvent::BusinessProfile(BusinessProfileEvent::BusinessProfileSeen(e)) => last = Some(&e.profile),
                _ => {}
            }
        }
        match last {
            Some(profile) => Ok(put(db, batch.tenant, profile).await?),
            None => Ok(()),
        }
    }
}

async fn put(db: &mut PgConnection, tenant: TenantId, profile: &Profile) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO read_models.business_profiles
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
