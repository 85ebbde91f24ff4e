//! What is left of a contact's events when it is forgotten.

use super::ContactEvent;
use crate::raw_json::RawJson;

impl ContactEvent {
    /// The event without anything personal. What is redacted already stays as it is.
    #[must_use]
    pub fn redacted(&self) -> Self {
        let mut event = self.clone();
        match &mut event {
            Self::ContactProfileSeen(e) => (e.name, e.profile) = (None, RawJson::empty()),
            Self::ContactUpserted(e) => {
                e.name = None;
                e.phone_numbers.clear();
                e.email_addresses.clear();
            }
            // That the customer wants no messages outlives it: see `Consent::forgotten`.
            Self::OptInChanged(e) => {
                e.source.clear();
                e.keyword = None;
            }
            Self::ContactErased(_) => {}
        }
        event
    }
}
