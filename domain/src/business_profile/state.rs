//! What a business profile's decisions need.

use serde::{Deserialize, Serialize};

use super::{
    command::ProfileChange,
    event::{BusinessProfileEvent, Profile, ProfilePhoto},
};
use crate::ids::Position;

/// A business profile.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BusinessProfile {
    /// What it holds, once WhatsApp has told.
    pub profile: Option<Profile>,
    /// The photo.
    #[serde(default)]
    pub photo: Option<ProfilePhoto>,
    /// The last event of the profile.
    pub changed: Position,
    /// The last event of the photo.
    #[serde(default)]
    pub photo_changed: Position,
}

impl BusinessProfile {
    pub(super) fn after(&mut self, event: &BusinessProfileEvent, position: Position) {
        match event {
            BusinessProfileEvent::BusinessProfileChanged(e) => self.profile = Some(e.profile.clone()),
            BusinessProfileEvent::BusinessProfileSeen(e) => self.profile = Some(e.profile.clone()),
            BusinessProfileEvent::ProfilePhotoChanged(e) => self.photo = Some(e.photo.clone()),
            BusinessProfileEvent::ProfilePhotoSeen(e) => self.photo.clone_from(&e.photo),
            BusinessProfileEvent::ProfilePhotoRemoved(_) => self.photo = None,
        }
        match event {
            BusinessProfileEvent::BusinessProfileChanged(_) | BusinessProfileEvent::BusinessProfileSeen(_) => {
                self.changed = position;
            }
            _ => self.photo_changed = position,
        }
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
