//! What a contact's decisions need.

use serde::{Deserialize, Serialize};

use super::event::ContactEvent;

/// A contact.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Contact {
    /// Whether WhatsApp has shown it to us.
    pub exists: bool,
    /// Its name.
    pub name: Option<String>,
}

impl Contact {
    pub(super) fn after(&mut self, event: &ContactEvent) {
        match event {
            ContactEvent::ContactProfileSeen(e) => {
                self.exists = true;
                self.name.clone_from(&e.name);
            }
        }
    }
}
