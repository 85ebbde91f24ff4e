//! What a contact's decisions need.

use serde::{Deserialize, Serialize};

use super::{
    event::{ContactEvent, EmailAddress, PhoneNumber},
    opt_in::{Consent, OptIn},
};

/// A contact.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Contact {
    /// Whether WhatsApp has shown it to us.
    pub exists: bool,
    /// Its name, as WhatsApp shows it.
    pub name: Option<String>,
    /// What the address book says; `None` where it is not in there.
    pub saved: Option<Saved>,
    /// Whether it was forgotten, ever.
    pub erased: bool,
    /// Its last word on being written to; `None` where nobody recorded one.
    pub consent: Option<Consent>,
    /// When it said the last of its own words that changed something, POSIX seconds.
    pub last_keyword: Option<i64>,
}

/// A contact in the address book.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// Its name there.
    pub name: Option<String>,
    /// Its phone numbers.
    pub phone_numbers: Vec<PhoneNumber>,
    /// Its email addresses.
    pub email_addresses: Vec<EmailAddress>,
}

impl Contact {
    pub(super) fn after(&mut self, event: &ContactEvent) {
        match event {
            ContactEvent::ContactProfileSeen(e) => {
                self.exists = true;
                self.name.clone_from(&e.name);
            }
            ContactEvent::ContactUpserted(e) => self.saved = Some(e.saved()),
            ContactEvent::OptInChanged(e) => {
                self.consent = Some(Consent::of(e));
                if e.keyword.is_some() {
                    self.last_keyword = self.last_keyword.max(Some(e.timestamp));
                }
            }
            ContactEvent::ContactErased(_) => {
                let consent = self.consent.take().and_then(Consent::forgotten);
                *self = Self { erased: true, consent, ..Self::default() };
            }
        }
    }

    /// Whether anybody ever wrote to us from there, saved it, or recorded its wish.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.exists || self.saved.is_some() || self.consent.is_some()
    }

    /// Whether it does not want to be written to first (R-CUS-5).
    #[must_use]
    pub fn has_opted_out(&self) -> bool {
        self.consent.as_ref().is_some_and(|consent| consent.status == OptIn::OptedOut)
    }
}
