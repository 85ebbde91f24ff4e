//! The rules of a business profile: only what differs is recorded.

use super::{
    BusinessProfile, BusinessProfileChanged, BusinessProfileCommand, BusinessProfileEvent, BusinessProfileRefusal,
    BusinessProfileSeen,
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
        };
        Ok(vec![event])
    }

    fn evolve(&mut self, event: &BusinessProfileEvent, position: Position) {
        self.after(event, position);
    }
}
