//! The rules of bulk messages.

use super::{
    BulkElementSettled, BulkMessage, BulkMessageCommand, BulkMessageEvent, BulkMessageRefusal, BulkRecipientErased,
    ElementOutcome,
};
use crate::{decider::Decider, ids::Position};

impl Decider for BulkMessage {
    const TYPE: &'static str = "BulkMessage";
    type Command = BulkMessageCommand;
    type Event = BulkMessageEvent;
    type Refusal = BulkMessageRefusal;

    fn decide(&self, command: BulkMessageCommand) -> Result<Vec<BulkMessageEvent>, BulkMessageRefusal> {
        match (command, &self.created) {
            (BulkMessageCommand::Create(created), None) => Ok(vec![created.into()]),
            (BulkMessageCommand::Create(_), Some(_)) => Ok(Vec::new()),
            (BulkMessageCommand::Settle { wa_id, outcome, now }, Some(created)) => {
                if self.open.contains(&wa_id) {
                    Ok(vec![BulkElementSettled { task: created.id, wa_id, outcome, timestamp: now }.into()])
                } else if created.recipients.contains(&wa_id) {
                    Ok(Vec::new())
                } else {
                    Err(BulkMessageRefusal::Unknown)
                }
            }
            (BulkMessageCommand::Erase { wa_id, now }, Some(created)) => {
                if !created.recipients.contains(&wa_id) || self.erased.contains(&wa_id) {
                    return Ok(Vec::new());
                }
                let (task, outcome) = (created.id, ElementOutcome::NotAllowed);
                let settled = self
                    .open
                    .contains(&wa_id)
                    .then(|| BulkElementSettled { task, wa_id: wa_id.clone(), outcome, timestamp: now }.into());
                Ok(settled.into_iter().chain([BulkRecipientErased { task, wa_id, timestamp: now }.into()]).collect())
            }
            (BulkMessageCommand::Settle { .. } | BulkMessageCommand::Erase { .. }, None) => {
                Err(BulkMessageRefusal::Unknown)
            }
        }
    }

    fn evolve(&mut self, event: &BulkMessageEvent, _: Position) {
        self.after(event);
    }
}
