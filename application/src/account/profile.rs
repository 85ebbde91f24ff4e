//! Changes the business profile (R-SET-1).

use chatledger_domain::{
    TenantId,
    business_profile::{BusinessProfile, BusinessProfileCommand, ProfileChange},
};

use super::PROFILE;
use crate::{
    application::{Application, Context},
    error::ApplicationError,
    streams::StreamOf,
};

impl Application {
    /// Changes fields of the business profile, at WhatsApp first.
    ///
    /// # Errors
    /// WhatsApp's refusal, or why it could not be asked; nothing is recorded then.
    pub async fn change_profile(&self, context: &Context, change: ProfileChange) -> Result<(), ApplicationError> {
        let account = self.account(context.tenant).await?;
        self.whatsapp_accounts.set_profile(&account, &change).await?;
        let streams = [StreamOf::new::<BusinessProfile>(PROFILE)];
        let now = self.clock.now();
        let done = self
            .streams
            .transact(context.tenant, &streams, &context.metadata(), now, |d| {
                let change = BusinessProfileCommand::Change { change: change.clone(), done_by: context.actor.user };
                d.decide::<BusinessProfile>(PROFILE, change)
            })
            .await?;
        self.settle(context.tenant, done.position()).await;
        Ok(())
    }

    pub(super) async fn refresh_settings(&self, tenant: TenantId) -> Result<(), ApplicationError> {
        let account = self.account(tenant).await?;
        let as_of = self.ledger.head(tenant).await?;
        let profile = self.whatsapp_accounts.profile(&account).await?;
        let streams = [StreamOf::new::<BusinessProfile>(PROFILE)];
        let metadata = self.system("refresh", None);
        let done = self
            .streams
            .transact(tenant, &streams, &metadata, self.clock.now(), |d| {
                d.decide::<BusinessProfile>(PROFILE, BusinessProfileCommand::See { profile: profile.clone(), as_of })
            })
            .await?;
        self.settle(tenant, done.position()).await;
        self.refresh_photo(&account, tenant, as_of).await
    }
}
