//! What may be asked of a contact.

use crate::raw_json::RawJson;

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
}
