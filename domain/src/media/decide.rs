//! The rules of media: kept once; what is kept cannot fail any more (R-MED-3); what is forgotten stays so.

use super::{Media, MediaCommand, MediaErased, MediaEvent, MediaFetchFailed, MediaRefusal};
use crate::{decider::Decider, ids::Position};

impl Decider for Media {
    const TYPE: &'static str = "Media";
    type Command = MediaCommand;
    type Event = MediaEvent;
    type Refusal = MediaRefusal;

    fn decide(&self, command: MediaCommand) -> Result<Vec<MediaEvent>, MediaRefusal> {
        Ok(match command {
            MediaCommand::Erase { .. } if self.is_erased => Vec::new(),
            MediaCommand::Erase { now } => vec![MediaErased { timestamp: now }.into()],
            _ if self.is_erased => Vec::new(),
            MediaCommand::Store(_) if self.is_stored => Vec::new(),
            MediaCommand::Store(stored) => vec![(*stored).into()],
            MediaCommand::FailFetch { .. } if self.is_stored || self.has_failed => Vec::new(),
            MediaCommand::FailFetch { waba_id, reason } => vec![MediaFetchFailed { waba_id, reason }.into()],
        })
    }

    fn evolve(&mut self, event: &MediaEvent, _: Position) {
        self.after(event);
    }
}
