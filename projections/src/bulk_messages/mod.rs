//! Read model `bulk_messages`: one message to many chats, how far it is, and what became of each.

mod apply;
mod query;
mod recipients;

pub(crate) use apply::BulkMessages;
pub use query::{BulkElementView, BulkFilter, BulkMessageView};
pub(crate) use query::{sender, task};
