//! Bulk messages: one message to many chats, each sent as if its creator had sent it alone.

mod command;
mod decide;
mod event;
mod fill;
mod redact;
mod refusal;
mod state;
#[cfg(test)]
mod tests;

pub use command::BulkMessageCommand;
pub use event::{
    BulkElementSettled, BulkMessageCreated, BulkMessageEvent, BulkRecipientErased, ElementOutcome, settled_key,
};
pub use fill::{Fills, fill};
pub use refusal::BulkMessageRefusal;
pub use state::BulkMessage;

/// The most recipients of one bulk message.
pub const MAX_RECIPIENTS: usize = 10_000;
