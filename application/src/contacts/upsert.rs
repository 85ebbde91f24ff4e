//! Saves a contact in the address book.

use chatledger_domain::{
    TenantId, UserId, WaId,
    contact::{Contact, ContactCommand, EmailAddress, PhoneNumber},
};

use crate::{
    application::{Application, Context},
    error::ApplicationError,
    streams::StreamOf,
};

/// A contact to be saved; `None` leaves as is.
#[derive(Clone, Debug)]
pub struct UpsertContact {
    /// Whose chat it is, or would be.
    pub wa_id: WaId,
    /// The name.
    pub name: Option<String>,
    /// All phone numbers from now on.
    pub phone_numbers: Option<Vec<PhoneNumber>>,
    /// All email addresses from now on.
    pub email_addresses: Option<Vec<EmailAddress>>,
}

impl Application {
    /// Saves a contact, or changes what is saved; whether anything changed.
    ///
    /// # Errors
    /// The ledger's fault.
    pub async fn upsert_contact(&self, context: &Context, contact: UpsertContact) -> Result<bool, ApplicationError> {
        self.upsert(context.tenant, Some(context.actor.user), contact, &context.metadata()).await
    }

    /// The same for the operator.
    ///
    /// # Errors
    /// [`ApplicationError::UnknownTenant`], or the ledger's fault.
    pub async fn import_contact(&self, tenant: TenantId, contact: UpsertContact) -> Result<bool, ApplicationError> {
        if self.directory.by_id(tenant).await?.is_none() {
            return Err(ApplicationError::UnknownTenant);
        }
        self.upsert(tenant, None, contact, &self.system("operator", None)).await
    }

    async fn upsert(
        &self,
        tenant: TenantId,
        done_by: Option<UserId>,
        contact: UpsertContact,
        metadata: &std::sync::Arc<crate::ports::ledger::Metadata>,
    ) -> Result<bool, ApplicationError> {
        let UpsertContact { wa_id, name, phone_numbers, email_addresses } = contact;
        let streams = [StreamOf::new::<Contact>(wa_id.as_str())];
        let done = self
            .streams
            .transact(tenant, &streams, metadata, self.clock.now(), |decisions| {
                let (name, phone_numbers) = (name.clone(), phone_numbers.clone());
                let email_addresses = email_addresses.clone();
                let command = ContactCommand::Upsert { name, phone_numbers, email_addresses, done_by };
                decisions.decide::<Contact>(wa_id.as_str(), command)
            })
            .await?;
        // An import of thousands must not wait for the read models each time.
        if done_by.is_some() {
            self.settle(tenant, done.position()).await;
        }
        Ok(done.position().is_some())
    }
}
