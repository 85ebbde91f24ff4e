//! What may be asked of a contact.

use super::{
    event::{EmailAddress, PhoneNumber},
    opt_in::OptIn,
};
use crate::{ids::UserId, raw_json::RawJson};

/// A command to one contact.
#[derive(Clone, Debug)]
pub enum ContactCommand {
    /// Records the profile that came with a message. An empty name never erases one (R-IN-8).
    SeeProfile {
        /// The name; `None` when WhatsApp sent none.
        name: Option<String>,
        /// WhatsApp's contact object, unchanged.
        profile: RawJson,
    },
    /// Saves the contact in the address book, or changes what is saved; `None` leaves as is.
    Upsert {
        /// The name; the first time and where none is given, the one that WhatsApp shows.
        name: Option<String>,
        /// All phone numbers from now on.
        phone_numbers: Option<Vec<PhoneNumber>>,
        /// All email addresses from now on.
        email_addresses: Option<Vec<EmailAddress>>,
        /// Who saves it; `None` for the operator.
        done_by: Option<UserId>,
    },
    /// Records the customer's word on being written to, or what somebody says of it (R-CUS-4).
    SetOptIn {
        /// What it is from now on.
        status: OptIn,
        /// How it is known: `whatsapp`, `web`, `import` …
        source: String,
        /// Who recorded it; `None` where the customer said it itself.
        done_by: Option<UserId>,
        /// The tenant's keyword that the customer's message was, where it was one (R-CUS-6).
        keyword: Option<String>,
        /// When it was said, POSIX seconds.
        timestamp: i64,
    },
    /// Forgets the contact. Once it is forgotten, only when there is something new to forget.
    Erase {
        /// How many events are blanked for it.
        events: u64,
        /// Whether anything was forgotten that was not before.
        is_news: bool,
        /// Who wants it; `None` for the operator.
        done_by: Option<UserId>,
        /// Now, POSIX seconds.
        now: i64,
    },
}
