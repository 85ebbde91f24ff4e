//! Connects a shop's number as its owner or a platform asks for it (R-ACC-1, R-ACC-5).

use std::sync::Arc;

use chatledger_domain::{
    AccountId, TenantId,
    tenant::Tenant,
    whatsapp_account::{Channel, Number, Tier},
};
use chrono::{DateTime, Utc};

use super::Requester;
use crate::{
    application::Application,
    chats::TENANT,
    error::ApplicationError,
    ports::{ledger::Metadata, whatsapp_account::FoundNumber},
    tenants::NewTenant,
};

/// A number to be connected. Not to be printed: it holds the access token.
#[derive(Clone)]
pub struct ConnectAccount {
    /// The inbox.
    pub shop: TenantId,
    /// Whether the inbox is made where there is none.
    pub may_create: bool,
    /// WhatsApp's id of the number.
    pub phone_number_id: String,
    /// With what WhatsApp is asked; never given back.
    pub access_token: String,
    /// The address that WhatsApp shall call, as it was told.
    pub webhook_url: Option<String>,
}

/// A number that was connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectedAccount {
    /// The connection.
    pub id: AccountId,
    /// WhatsApp's id of the number.
    pub phone_number_id: String,
    /// What WhatsApp lets it send on a day.
    pub tier: Tier,
    /// Since when.
    pub connected_at: DateTime<Utc>,
}

impl Application {
    /// Asks WhatsApp for the number, then connects it. Nothing is recorded before WhatsApp has said that the token
    /// speaks for it.
    ///
    /// # Errors
    /// [`ApplicationError::UnknownTenant`] where there is no such inbox and none may be made,
    /// [`ApplicationError::AccountConnected`] when it has a number, [`ApplicationError::NumberInUse`] when another has
    /// this one, [`ApplicationError::Account`] for what WhatsApp said or that it could not be asked.
    pub async fn connect_shop(
        &self,
        by: &Requester,
        new: ConnectAccount,
    ) -> Result<ConnectedAccount, ApplicationError> {
        let ConnectAccount { shop, may_create, phone_number_id, access_token, webhook_url } = new;
        let metadata = &by.metadata();
        let tenant: Tenant = self.streams.state(shop, TENANT).await?;
        if !tenant.exists && !may_create {
            return Err(ApplicationError::UnknownTenant);
        }
        if self.number(shop).await?.is_some() {
            return Err(ApplicationError::AccountConnected);
        }
        self.refuse_number_of_others(shop, &phone_number_id).await?;
        let found = self.whatsapp_accounts.number(&phone_number_id, &access_token).await?;
        if !tenant.exists {
            self.create_shop(shop, found.verified_name.as_deref(), metadata).await?;
        }
        self.complete_secrets(shop).await?;
        let FoundNumber { display_phone_number, waba_id, .. } = found;
        let number =
            Number { phone_number_id: phone_number_id.clone(), display_phone_number, channel: Channel::Cloud, waba_id };
        let recorded = self.record_connection(shop, number, webhook_url, &access_token, metadata).await?;
        // Somebody else has connected the same number meanwhile.
        let recorded = recorded.ok_or(ApplicationError::AccountConnected)?;
        let id = AccountId::of_connection(shop, recorded.position);
        Ok(ConnectedAccount { id, phone_number_id, tier: Tier::default(), connected_at: recorded.occurred_at })
    }

    /// An inbox under an id of the platform's choice.
    async fn create_shop(
        &self,
        shop: TenantId,
        name: Option<&str>,
        metadata: &Arc<Metadata>,
    ) -> Result<(), ApplicationError> {
        let slug = shop.slug();
        let name = name.unwrap_or(&slug).to_owned();
        match self.create_tenant_by(NewTenant { slug, name, hosts: Vec::new() }, metadata).await {
            // Another call was faster.
            Ok(_) | Err(ApplicationError::TenantExists | ApplicationError::NameTaken) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
