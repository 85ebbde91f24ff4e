//! Takes an inbox's number away; what was said with it stays (R-ACC-2).

use chatledger_domain::{
    TenantId,
    whatsapp_account::{WhatsAppAccount, WhatsAppAccountCommand},
};

use super::Requester;
use crate::{application::Application, chats::ACCOUNT, error::ApplicationError, streams::StreamOf};

impl Application {
    /// Disconnects the number and forgets its access token.
    ///
    /// # Errors
    /// [`ApplicationError::AccountNotConnected`].
    pub async fn disconnect_account(&self, tenant: TenantId, by: &Requester) -> Result<(), ApplicationError> {
        let metadata = &by.metadata();
        let number = self.number(tenant).await?.ok_or(ApplicationError::AccountNotConnected)?;
        let id = number.phone_number_id;
        // Looked at before the number is free: whoever connects it again at once puts another, which stays.
        let token = self.access_tokens.mark(tenant, &id).await?;
        let streams = [StreamOf::new::<WhatsAppAccount>(ACCOUNT)];
        let done = self
            .streams
            .transact(tenant, &streams, metadata, self.clock.now(), |d| {
                let there = d.state::<WhatsAppAccount>(ACCOUNT).number;
                if there.is_none_or(|number| number.phone_number_id != id) {
                    return Err(ApplicationError::AccountNotConnected);
                }
                Ok(d.decide::<WhatsAppAccount>(ACCOUNT, WhatsAppAccountCommand::Disconnect)?)
            })
            .await?;
        self.settle(tenant, done.position()).await;
        if let Some(token) = token
            && let Err(error) = self.access_tokens.forget(tenant, &id, &token).await
        {
            tracing::warn!(%error, "the access token of a disconnected number stays in the vault");
        }
        Ok(())
    }

    /// Whether the inbox had a number once and has none now: what comes for it is nobody's concern.
    pub(crate) async fn has_given_up(&self, tenant: TenantId) -> Result<bool, ApplicationError> {
        if self.directory.by_id(tenant).await?.is_some_and(|entry| entry.number.is_some()) {
            return Ok(false);
        }
        let account: WhatsAppAccount = self.streams.state(tenant, ACCOUNT).await?;
        Ok(account.is_given_up())
    }
}
