//! The rules of bulk messages.

use super::{BulkElementSettled, BulkMessage, BulkMessageCommand, BulkMessageEvent, BulkMessageRefusal};
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
            (BulkMessageCommand::Settle { .. }, None) => Err(BulkMessageRefusal::Unknown),
        }
    }

    fn evolve(&mut self, event: &BulkMessageEvent, _: Position) {
        self.after(event);
    }
}
