//! Read model `conversations`: the sessions within chats.

mod apply;
mod fold;
mod holders;
mod inbox;
mod query;
mod rows;
mod status;
mod totals;
mod view;

pub(crate) use apply::Conversations;
pub use view::{ConversationDetailView, ConversationFilter, ConversationStatus, ConversationView};
