//! With what WhatsApp is asked.

use chatledger_domain::{
    TenantId,
    whatsapp_account::{Number, WhatsAppAccount},
};

use crate::{application::Application, chats::ACCOUNT, error::ApplicationError, ports::whatsapp_account::Account};

impl Application {
    /// The connected number.
    ///
    /// # Errors
    /// The ledger's fault.
    pub async fn number(&self, tenant: TenantId) -> Result<Option<Number>, ApplicationError> {
        let account: WhatsAppAccount = self.streams.state(tenant, ACCOUNT).await?;
        Ok(account.number)
    }

    /// The connected number and its token.
    pub(super) async fn account(&self, tenant: TenantId) -> Result<Account, ApplicationError> {
        let number = self.number(tenant).await?.ok_or(ApplicationError::AccountNotConnected)?;
        let token = self.access_tokens.get(tenant, &number.phone_number_id).await?;
        let access_token = token.ok_or(ApplicationError::AccountNotConnected)?;
        Ok(Account { number, access_token })
    }
}
