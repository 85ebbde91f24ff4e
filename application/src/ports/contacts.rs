//! Address books, and WhatsApp's own check of numbers.

use std::fmt;

use async_trait::async_trait;
use chatledger_domain::{
    Actor, TenantId, WaId,
    contact::{EmailAddress, PhoneNumber},
    whatsapp_account::Number,
};

use super::Unavailable;

/// A contact in an address book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactEntry {
    /// Its name.
    pub name: String,
    /// Its phone numbers.
    pub phone_numbers: Vec<PhoneNumber>,
    /// Its email addresses.
    pub email_addresses: Vec<EmailAddress>,
}

/// Who looks into an address book.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    /// The inbox.
    pub tenant: TenantId,
    /// Its short name, for address books outside.
    pub slug: &'a str,
    /// The user.
    pub actor: &'a Actor,
}

/// What is wanted of an address book.
#[derive(Clone, Copy, Debug)]
pub struct ContactQuery<'a> {
    /// Part of a name, number or address; `None` for all.
    pub search: Option<&'a str>,
    /// Where the page before ended, in the provider's own words.
    pub after: Option<&'a str>,
    /// At most so many.
    pub limit: i64,
}

/// A page of an address book.
#[derive(Clone, Debug, Default)]
pub struct ContactPage {
    /// The contacts.
    pub contacts: Vec<ContactEntry>,
    /// Where it ended; `None` at the end.
    pub next: Option<String>,
    /// How many there are in all; `None` where it cannot tell.
    pub count: Option<i64>,
}

/// What a provider is, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderOf {
    /// Its kind: `internal`, `http`.
    pub kind: &'static str,
    /// Its name, for people.
    pub name: String,
    /// Its id; one provider of a tenant has one, always the same.
    pub id: String,
}

/// An address book. May be slow and may fail: its callers wait only so long and go on without it (R-CON-4).
#[async_trait]
pub trait ContactProvider: Send + Sync {
    /// What it is.
    fn of(&self, tenant: TenantId) -> ProviderOf;
    /// A page of contacts. `after` may be anything that a page of this provider ever gave as `next`.
    async fn search(&self, reader: Reader<'_>, query: ContactQuery<'_>) -> Result<ContactPage, Unavailable>;
    /// The contacts with this number.
    async fn by_wa_id(&self, reader: Reader<'_>, wa_id: &WaId) -> Result<Vec<ContactEntry>, Unavailable>;
}

/// What WhatsApp is asked about numbers.
#[derive(Clone, Debug)]
pub struct NumbersToCheck {
    /// The numbers as people write them.
    pub inputs: Vec<String>,
    /// Wait for the answer rather than be told that it is being looked for.
    pub wait: bool,
    /// Do not use what WhatsApp remembers.
    pub force: bool,
}

/// What WhatsApp knows of a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NumberCheck {
    /// It is on WhatsApp, under this id.
    Valid(String),
    /// It is not.
    Invalid,
    /// It is being looked for.
    Processing,
    /// It could not be found out.
    Failed,
}

impl fmt::Display for NumberCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Valid(_) => "valid",
            Self::Invalid => "invalid",
            Self::Processing => "processing",
            Self::Failed => "failed",
        })
    }
}

/// WhatsApp's check of numbers, which only its on-premises API has.
#[async_trait]
pub trait ContactCheck: Send + Sync {
    /// One answer for each input, in their order.
    async fn check(
        &self,
        number: &Number,
        access_token: &str,
        numbers: &NumbersToCheck,
    ) -> Result<Vec<NumberCheck>, Unavailable>;
}
