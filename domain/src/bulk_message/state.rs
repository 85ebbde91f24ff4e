//! What a bulk message's decisions need.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::event::{BulkMessageCreated, BulkMessageEvent};
use crate::wa_id::WaId;

/// A bulk message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BulkMessage {
    /// What was asked for; `None` before it is created.
    pub created: Option<BulkMessageCreated>,
    /// Those who are not done with.
    pub open: BTreeSet<WaId>,
    /// Recipients that were forgotten.
    pub erased: BTreeSet<WaId>,
}

impl BulkMessage {
    pub(super) fn after(&mut self, event: &BulkMessageEvent) {
        match event {
            BulkMessageEvent::BulkMessageCreated(e) => {
                self.open = e.recipients.iter().cloned().collect();
                self.created = Some(e.clone());
            }
            BulkMessageEvent::BulkElementSettled(e) => {
                self.open.remove(&e.wa_id);
            }
            BulkMessageEvent::BulkRecipientErased(e) => {
                self.created = self.created.take().map(|created| created.without(&e.wa_id));
                self.erased.insert(e.wa_id.clone());
            }
        }
    }
}
