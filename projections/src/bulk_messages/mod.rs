//! Read model `bulk_messages`: one message to many chats, how far it is, and what became of each.

mod apply;
mod query;
mod recipients;

pub(crate) use apply::BulkMessages;
pub(crate) use query::task;
pub use query::{BulkElementView, BulkFilter, BulkMessageView};
