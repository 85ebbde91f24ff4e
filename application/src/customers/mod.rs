//! What is done with customers as such: tags by name, and their wish to hear from us.

mod opt_in;
mod tags;

pub use tags::{CustomerTags, TagProblem};

use chatledger_domain::{Actor, Scope, chat::Chat};

/// Whether the actor may know of the customer of a chat, or of one that has none yet: as its chat (R-PERM-7).
fn may_know(actor: &Actor, chat: &Chat) -> bool {
    if chat.exists { actor.may_read(chat.assignment) } else { actor.permissions.can_read_chats == Scope::All }
}
