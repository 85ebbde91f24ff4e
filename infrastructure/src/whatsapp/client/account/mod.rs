//! Asks WhatsApp about the account: templates and the business profile, each in the form of its channel.
//!
//! | | Cloud | 360dialog | on-premises |
//! |---|---|---|---|
//! | the number | `/{phone_number_id}` | | |
//! | templates | `/{waba_id}/message_templates` | `/v1/configs/templates` | `/v1/configs/templates` |
//! | photo | `app/uploads`, then the profile | `/uploads`, then the profile | `/v1/settings/profile/photo` |
//! | profile | `/{phone_number_id}/whatsapp_business_profile` | `/whatsapp_business_profile` | `/v1/settings/business/profile`, `/v1/settings/profile/about` |

mod call;
mod number;
mod photo;
mod profile;
mod templates;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use chatledger_application::ports::whatsapp_account::{
    Account, AccountFault, FoundNumber, NewTemplate, Photo, WhatsAppAccounts,
};
use chatledger_domain::{
    business_profile::{Profile, ProfileChange},
    template_catalogue::Template,
    whatsapp_account::Channel,
};

use super::WhatsAppClient;

#[async_trait]
impl WhatsAppAccounts for WhatsAppClient {
    async fn number(&self, phone_number_id: &str, access_token: &str) -> Result<FoundNumber, AccountFault> {
        number::of_cloud(self, phone_number_id, access_token).await
    }

    async fn templates(&self, account: &Account) -> Result<Vec<Template>, AccountFault> {
        match account.number.channel {
            Channel::Cloud => templates::list_of_cloud(self, account).await,
            Channel::D360 | Channel::Onpremises => templates::list_of_partner(self, account).await,
        }
    }

    async fn create_template(&self, account: &Account, new: &NewTemplate) -> Result<Template, AccountFault> {
        templates::create(self, account, new).await
    }

    async fn delete_template(&self, account: &Account, name: &str) -> Result<(), AccountFault> {
        templates::delete(self, account, name).await
    }

    async fn profile(&self, account: &Account) -> Result<Profile, AccountFault> {
        match account.number.channel {
            Channel::Cloud | Channel::D360 => profile::of_cloud(self, account).await,
            Channel::Onpremises => profile::of_onpremises(self, account).await,
        }
    }

    async fn set_profile(&self, account: &Account, change: &ProfileChange) -> Result<(), AccountFault> {
        match account.number.channel {
            Channel::Cloud | Channel::D360 => profile::set_at_cloud(self, account, change).await,
            Channel::Onpremises => profile::set_on_premises(self, account, change).await,
        }
    }

    async fn photo(&self, account: &Account) -> Result<Option<Photo>, AccountFault> {
        match account.number.channel {
            Channel::Cloud | Channel::D360 => photo::of_cloud(self, account).await,
            Channel::Onpremises => photo::of_onpremises(self, account).await,
        }
    }

    async fn set_photo(&self, account: &Account, photo: &Photo) -> Result<(), AccountFault> {
        match account.number.channel {
            Channel::Cloud | Channel::D360 => photo::set_at_cloud(self, account, photo).await,
            Channel::Onpremises => photo::set_on_premises(self, account, photo).await,
        }
    }

    async fn delete_photo(&self, account: &Account) -> Result<(), AccountFault> {
        match account.number.channel {
            Channel::Cloud | Channel::D360 => photo::use_handle(self, account, "").await,
            Channel::Onpremises => photo::delete_on_premises(self, account).await,
        }
    }
}
