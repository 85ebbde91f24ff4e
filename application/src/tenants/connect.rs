//! Connects a tenant's WhatsApp number.

use chatledger_domain::{
    TenantId,
    whatsapp_account::{Number, WhatsAppAccount, WhatsAppAccountCommand},
};

use crate::{application::Application, chats::ACCOUNT, error::ApplicationError, ports::vault::Kind, streams::StreamOf};

impl Application {
    /// Connects a number; the same again only replaces the access token.
    ///
    /// # Errors
    /// [`ApplicationError::AccountConnected`] when the tenant has another number, or another tenant has this one.
    pub async fn connect_account(
        &self,
        tenant: TenantId,
        number: Number,
        access_token: &str,
    ) -> Result<(), ApplicationError> {
        let holder = self.directory.by_phone_number_id(&number.phone_number_id).await?;
        if holder.is_some_and(|holder| holder.id != tenant) {
            return Err(ApplicationError::AccountConnected);
        }
        let streams = [StreamOf::new::<WhatsAppAccount>(ACCOUNT)];
        let metadata = self.system("set-up", None);
        let done = self
            .streams
            .transact(tenant, &streams, &metadata, self.clock.now(), |d| {
                let connect = WhatsAppAccountCommand::Connect { number: number.clone() };
                d.decide::<WhatsAppAccount>(ACCOUNT, connect)
            })
            .await?;
        self.vault.put(tenant, Kind::AccessToken, access_token).await?;
        self.settle(tenant, done.position()).await;
        Ok(())
    }
}
