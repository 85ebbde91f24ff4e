//! A connection becomes an event.

use std::sync::Arc;

use chatledger_domain::{
    TenantId,
    whatsapp_account::{Number, WhatsAppAccount, WhatsAppAccountCommand},
};

use crate::{
    application::Application,
    chats::ACCOUNT,
    error::ApplicationError,
    ports::ledger::{Metadata, Recorded},
    streams::StreamOf,
};

impl Application {
    /// Connects a number for the operator, who is believed; the same again only replaces the access token.
    ///
    /// # Errors
    /// [`ApplicationError::AccountConnected`] when the tenant has another number,
    /// [`ApplicationError::NumberInUse`] when another tenant has this one.
    pub async fn connect_account(
        &self,
        tenant: TenantId,
        number: Number,
        access_token: &str,
    ) -> Result<(), ApplicationError> {
        self.record_connection(tenant, number, None, access_token, &self.system("set-up", None)).await.map(drop)
    }

    /// Keeps the token, then records the connection: what is connected always has its token, and the token of a
    /// connection that was not recorded is asked for by nobody. What was recorded; `None` where the number was connected
    /// already.
    pub(super) async fn record_connection(
        &self,
        tenant: TenantId,
        number: Number,
        webhook_url: Option<String>,
        access_token: &str,
        metadata: &Arc<Metadata>,
    ) -> Result<Option<Recorded>, ApplicationError> {
        let id = number.phone_number_id.clone();
        self.refuse_number_of_others(tenant, &id).await?;
        self.access_tokens.put(tenant, &id, access_token).await?;
        let streams = [StreamOf::new::<WhatsAppAccount>(ACCOUNT)];
        let done = self
            .streams
            .transact(tenant, &streams, metadata, self.clock.now(), |d| {
                let (number, webhook_url) = (number.clone(), webhook_url.clone());
                d.decide::<WhatsAppAccount>(ACCOUNT, WhatsAppAccountCommand::Connect { number, webhook_url })
            })
            .await
            // The only name that this takes is the number, which may have become another's since we looked.
            .map_err(|error| match error {
                ApplicationError::NameTaken => ApplicationError::NumberInUse,
                error => error,
            })?;
        self.settle(tenant, done.position()).await;
        Ok(done.recorded.into_iter().next())
    }

    /// Says early what the ledger says in the end.
    pub(super) async fn refuse_number_of_others(
        &self,
        tenant: TenantId,
        phone_number_id: &str,
    ) -> Result<(), ApplicationError> {
        let holder = self.directory.by_phone_number_id(phone_number_id).await?;
        match holder.filter(|holder| holder.id != tenant) {
            // Others may have given it up a moment ago: their ledger knows.
            Some(holder) if self.holds(holder.id, phone_number_id).await? => Err(ApplicationError::NumberInUse),
            _ => Ok(()),
        }
    }

    async fn holds(&self, tenant: TenantId, phone_number_id: &str) -> Result<bool, ApplicationError> {
        let number = self.number(tenant).await?;
        Ok(number.is_some_and(|number| number.phone_number_id == phone_number_id))
    }
}
