//! What a business profile's decisions need.

use serde::{Deserialize, Serialize};

use super::{command::ProfileChange, event::BusinessProfileEvent, event::Profile};
use crate::ids::Position;

/// A business profile.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BusinessProfile {
    /// What it holds, once WhatsApp has told.
    pub profile: Option<Profile>,
    /// The last event.
    pub changed: Position,
}

impl BusinessProfile {
    pub(super) fn after(&mut self, event: &BusinessProfileEvent, position: Position) {
        let profile = match event {
            BusinessProfileEvent::BusinessProfileChanged(e) => &e.profile,
            BusinessProfileEvent::BusinessProfileSeen(e) => &e.profile,
        };
        self.profile = Some(profile.clone());
        self.changed = position;
    }
}

impl Profile {
    /// The profile after a change.
    #[must_use]
    pub fn with(&self, change: ProfileChange) -> Self {
        Self {
            about: change.about.unwrap_or_else(|| self.about.clone()),
            address: change.address.unwrap_or_else(|| self.address.clone()),
            description: change.description.unwrap_or_else(|| self.description.clone()),
            email: change.email.unwrap_or_else(|| self.email.clone()),
            vertical: change.vertical.unwrap_or_else(|| self.vertical.clone()),
            websites: change.websites.unwrap_or_else(|| self.websites.clone()),
        }
    }
}
