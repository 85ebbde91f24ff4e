//! What a contact's decisions need.

use serde::{Deserialize, Serialize};

use super::event::{ContactEvent, EmailAddress, PhoneNumber};

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
            ContactEvent::ContactErased(_) => *self = Self { erased: true, ..Self::default() },
        }
    }
}
