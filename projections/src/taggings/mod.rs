//! Read model `taggings`: which tags chats and messages carry now.

mod apply;
mod query;

pub(crate) use apply::Taggings;
pub(crate) use query::{chat_tagging, message_tagging, of_chats, of_deleted_tags, of_messages, standing};
