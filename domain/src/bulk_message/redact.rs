//! What is left of a bulk message when one of its recipients is forgotten.

use super::{BulkMessageCreated, BulkMessageEvent, ElementOutcome};
use crate::{chat::content::sent_type, chat::forgotten_message, raw_json::RawJson, wa_id::WaId};

impl BulkMessageCreated {
    /// Without what was written for this recipient alone. What was written for many is not one recipient's.
    #[must_use]
    pub fn without(mut self, wa_id: &WaId) -> Self {
        self.fills.remove(wa_id.as_str());
        if self.recipients.iter().all(|recipient| recipient == wa_id) {
            self.content = RawJson::empty();
            self.payload = forgotten_message(sent_type(&self.kind));
        }
        self
    }
}

impl BulkMessageEvent {
    /// The event without what it says of this recipient. What is redacted already stays as it is.
    #[must_use]
    pub fn redacted(&self, wa_id: &WaId) -> Self {
        let mut event = self.clone();
        match &mut event {
            Self::BulkMessageCreated(e) => *e = e.clone().without(wa_id),
            Self::BulkElementSettled(e) if e.wa_id == *wa_id => match &mut e.outcome {
                ElementOutcome::Rejected { errors, .. } => *errors = RawJson::empty_list(),
                ElementOutcome::Invalid { reason } => reason.clear(),
                ElementOutcome::Accepted { .. }
                | ElementOutcome::Queued { .. }
                | ElementOutcome::NotAllowed
                | ElementOutcome::WindowClosed => {}
            },
            Self::BulkElementSettled(_) | Self::BulkRecipientErased(_) => {}
        }
        event
    }
}
