//! What is left of a notice that speaks of a customer who is forgotten.

use super::WhatsAppAccountEvent;
use crate::{raw_json::RawJson, wa_id::WaId};

impl WhatsAppAccountEvent {
    /// The event without a report that names this customer. What is redacted already stays as it is.
    #[must_use]
    pub fn redacted(&self, wa_id: &WaId) -> Self {
        let mut event = self.clone();
        match &mut event {
            Self::AccountNoticeReceived(e) if wa_id.stands_in(e.report.text()) => e.report = RawJson::empty(),
            _ => {}
        }
        event
    }
}
