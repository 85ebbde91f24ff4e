//! What can have happened to a contact.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{decider::Event, raw_json::RawJson};

/// WhatsApp showed a contact's profile for the first time, or a new one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ContactProfileSeen {
    /// The name; `None` when WhatsApp showed none yet.
    pub name: Option<String>,
    /// WhatsApp's contact object, unchanged.
    pub profile: RawJson,
}

crate::events! {
    /// An event of a contact.
    ContactEvent {
        /// A profile was seen.
        ContactProfileSeen = "ContactProfileSeen" v "1",
    }
}

impl Event for ContactEvent {
    crate::stored_event!();
}
