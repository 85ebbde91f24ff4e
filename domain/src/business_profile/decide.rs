//! The rules of a business profile: only what differs is recorded.

use super::{
    BusinessProfile, BusinessProfileChanged, BusinessProfileCommand, BusinessProfileEvent, BusinessProfileRefusal,
    BusinessProfileSeen, ProfilePhoto, ProfilePhotoChanged, ProfilePhotoRemoved, ProfilePhotoSeen,
};
use crate::{decider::Decider, ids::Position};

impl Decider for BusinessProfile {
    const TYPE: &'static str = "BusinessProfile";
    type Command = BusinessProfileCommand;
    type Event = BusinessProfileEvent;
    type Refusal = BusinessProfileRefusal;

    fn decide(&self, command: BusinessProfileCommand) -> Result<Vec<BusinessProfileEvent>, BusinessProfileRefusal> {
        let event = match command {
            BusinessProfileCommand::Change { change, done_by } => {
                let profile = self.profile.clone().unwrap_or_default().with(change);
                if self.profile.as_ref() == Some(&profile) {
                    return Ok(Vec::new());
                }
                BusinessProfileChanged { profile, done_by }.into()
            }
            BusinessProfileCommand::See { profile, as_of } => {
                if self.changed > as_of || self.profile.as_ref() == Some(&profile) {
                    return Ok(Vec::new());
                }
                BusinessProfileSeen { profile }.into()
            }
            BusinessProfileCommand::ChangePhoto { photo, done_by } => ProfilePhotoChanged { photo, done_by }.into(),
            BusinessProfileCommand::SeePhoto { photo, as_of } => {
                let bytes = |photo: &Option<ProfilePhoto>| photo.as_ref().map(|photo| photo.sha256.clone());
                if self.photo_changed > as_of || bytes(&photo) == bytes(&self.photo) {
                    return Ok(Vec::new());
                }
                ProfilePhotoSeen { photo }.into()
            }
            BusinessProfileCommand::RemovePhoto { .. } if self.photo.is_none() => return Ok(Vec::new()),
            BusinessProfileCommand::RemovePhoto { done_by } => ProfilePhotoRemoved { done_by }.into(),
        };
        Ok(vec![event])
    }

    fn evolve(&mut self, event: &BusinessProfileEvent, position: Position) {
        self.after(event, position);
    }
}
