//! What WhatsApp is asked about the account beyond sending: templates, the business profile, the photo.

use async_trait::async_trait;
use bytes::Bytes;
use chatledger_domain::{
    RawJson,
    business_profile::{Profile, ProfileChange},
    template_catalogue::Template,
    whatsapp_account::Number,
};

/// Whose account, and with what it is asked. Not to be printed: it holds the access token.
#[derive(Clone)]
pub struct Account {
    /// The connected number.
    pub number: Number,
    /// The access token or API key.
    pub access_token: String,
}

/// A number as WhatsApp knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundNumber {
    /// The number as people read it.
    pub display_phone_number: String,
    /// The business's name that customers see.
    pub verified_name: Option<String>,
    /// The WhatsApp business account that owns it, where WhatsApp says.
    pub waba_id: Option<String>,
}

/// A template to be created.
#[derive(Clone, Debug)]
pub struct NewTemplate {
    /// Its name.
    pub name: String,
    /// Its category, of 2021 or of today.
    pub category: String,
    /// Its language.
    pub language: String,
    /// Its parts, a list of objects.
    pub components: RawJson,
}

/// The photo of a profile.
#[derive(Clone, Debug)]
pub struct Photo {
    /// What it is.
    pub mime_type: String,
    /// The whole of it.
    pub bytes: Bytes,
}

/// Why WhatsApp did not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AccountFault {
    /// It refused; a list of objects with `code`, `title`, `details`.
    #[error("WhatsApp refused")]
    Refused(RawJson),
    /// It has no such thing.
    #[error("WhatsApp has no such thing")]
    NotFound,
    /// It cannot be reached, or does not answer such questions now; why, for logs.
    #[error("WhatsApp is away: {0}")]
    Away(String),
    /// It did not answer in time.
    #[error("WhatsApp did not answer in time")]
    Late,
    /// Nobody can read what it answered; why, for logs.
    #[error("WhatsApp's answer cannot be read: {0}")]
    Unreadable(String),
    /// This channel has no such function.
    #[error("the channel has no such function")]
    Unsupported,
}

/// The account at WhatsApp, one port for all channels.
#[async_trait]
pub trait WhatsAppAccounts: Send + Sync {
    /// The number of Meta's Cloud API that this token speaks for. A number that there is not, or that the token may not
    /// see, is refused.
    async fn number(&self, phone_number_id: &str, access_token: &str) -> Result<FoundNumber, AccountFault>;
    /// All templates.
    async fn templates(&self, account: &Account) -> Result<Vec<Template>, AccountFault>;
    /// Submits a template; WhatsApp's first word on it.
    async fn create_template(&self, account: &Account, new: &NewTemplate) -> Result<Template, AccountFault>;
    /// Deletes a template in all languages.
    async fn delete_template(&self, account: &Account, name: &str) -> Result<(), AccountFault>;
    /// The business profile.
    async fn profile(&self, account: &Account) -> Result<Profile, AccountFault>;
    /// Changes fields of the business profile.
    async fn set_profile(&self, account: &Account, change: &ProfileChange) -> Result<(), AccountFault>;
    /// The photo; `None` when there is none.
    async fn photo(&self, account: &Account) -> Result<Option<Photo>, AccountFault>;
    /// Sets the photo.
    async fn set_photo(&self, account: &Account, photo: &Photo) -> Result<(), AccountFault>;
    /// Takes the photo away.
    async fn delete_photo(&self, account: &Account) -> Result<(), AccountFault>;
}
