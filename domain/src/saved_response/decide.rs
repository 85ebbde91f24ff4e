//! The rules of saved responses.

use super::{
    SavedResponse, SavedResponseCommand, SavedResponseCreated, SavedResponseDeleted, SavedResponseEvent,
    SavedResponseRefusal,
};
use crate::{decider::Decider, ids::Position};

impl Decider for SavedResponse {
    const TYPE: &'static str = "SavedResponse";
    type Command = SavedResponseCommand;
    type Event = SavedResponseEvent;
    type Refusal = SavedResponseRefusal;

    fn decide(&self, command: SavedResponseCommand) -> Result<Vec<SavedResponseEvent>, SavedResponseRefusal> {
        match command {
            SavedResponseCommand::Create { .. } if self.exists => Ok(Vec::new()),
            SavedResponseCommand::Create { text, done_by, now } => {
                Ok(vec![SavedResponseCreated { text, done_by, timestamp: now }.into()])
            }
            SavedResponseCommand::Delete { .. } if !self.exists => Err(SavedResponseRefusal::Unknown),
            SavedResponseCommand::Delete { done_by } => Ok(vec![SavedResponseDeleted { done_by }.into()]),
        }
    }

    fn evolve(&mut self, event: &SavedResponseEvent, position: Position) {
        self.after(event, position);
    }
}
