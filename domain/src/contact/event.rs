//! What can have happened to a contact.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{opt_in::OptIn, state::Saved};
use crate::{decider::Event, ids::UserId, raw_json::RawJson};

/// WhatsApp showed a contact's profile for the first time, or a new one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ContactProfileSeen {
    /// The name; `None` when WhatsApp showed none yet.
    pub name: Option<String>,
    /// WhatsApp's contact object, unchanged.
    pub profile: RawJson,
}

/// A phone number in the address book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PhoneNumber {
    /// The number, as it was given.
    pub phone_number: String,
    /// What it is: `mobile`, `work` …
    pub description: String,
}

/// An email address in the address book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EmailAddress {
    /// The address, as it was given.
    pub email_address: String,
    /// What it is: `work`, `home` …
    pub description: String,
}

/// A contact was saved in the address book, or what is saved of it changed. Carries all of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ContactUpserted {
    /// The name from now on; `None` when nobody knows one.
    pub name: Option<String>,
    /// The phone numbers from now on, beside the one of its chat.
    pub phone_numbers: Vec<PhoneNumber>,
    /// The email addresses from now on.
    pub email_addresses: Vec<EmailAddress>,
    /// Who saved it; `None` for the operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_by: Option<UserId>,
}

impl ContactUpserted {
    pub(super) fn saved(&self) -> Saved {
        Saved {
            name: self.name.clone(),
            phone_numbers: self.phone_numbers.clone(),
            email_addresses: self.email_addresses.clone(),
        }
    }
}

/// The customer wishes, or no longer wishes, to hear from us; or it is known from elsewhere now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OptInChanged {
    /// What it is from now on.
    pub status: OptIn,
    /// How it is known; empty once the customer is forgotten.
    pub source: String,
    /// Who recorded it; `None` where the customer said it itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_by: Option<UserId>,
    /// When it was said, POSIX seconds.
    pub timestamp: i64,
    /// The tenant's keyword that the customer's message was, where it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyword: Option<String>,
}

/// A contact was forgotten: everything personal that the ledger held of it up to here is blanked in place, and readers
/// drop what they have of it, in its chat as well. Its id stays; what comes later is a new beginning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ContactErased {
    /// Who did it; `None` for the operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_by: Option<UserId>,
    /// POSIX seconds.
    pub timestamp: i64,
    /// How many events were blanked.
    pub events: u64,
}

crate::events! {
    /// An event of a contact.
    ContactEvent {
        /// A profile was seen.
        ContactProfileSeen = "ContactProfileSeen" v "1",
        /// It was saved in the address book.
        ContactUpserted = "ContactUpserted" v "1",
        /// Its wish to hear from us changed.
        OptInChanged = "OptInChanged" v "1",
        /// It was forgotten.
        ContactErased = "ContactErased" v "1",
    }
}

impl Event for ContactEvent {
    crate::stored_event!();
}
