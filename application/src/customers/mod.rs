//! What is done with customers as such: tags by name, and their wish to hear from us.

mod opt_in;
mod tags;

pub use tags::{CustomerTags, TagProblem};

use chatledger_domain::{Actor, Position, Scope, TenantId, chat::Chat};

use crate::{application::Application, error::ApplicationError};

impl Application {
    /// Waits until what was written can be read; where nothing had to be, until what somebody else has just written can.
    async fn settle_all(&self, tenant: TenantId, written: Option<Position>) -> Result<(), ApplicationError> {
        let position = match written {
            Some(position) => position,
            None => self.ledger.head(tenant).await?,
        };
        self.settle(tenant, Some(position)).await;
        Ok(())
    }
}

/// Whether the actor may know of the customer of a chat, or of one that has none yet: as its chat (R-PERM-7).
fn may_know(actor: &Actor, chat: &Chat) -> bool {
    if chat.exists { actor.may_read(chat.assignment) } else { actor.permissions.can_read_chats == Scope::All }
}
