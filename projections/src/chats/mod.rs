//! Read model `chats`: what the list of chats is ordered and filtered by.

mod apply;
mod query;
mod reach;

pub(crate) use apply::Chats;
pub(crate) use query::{Holder, assignment, chat, chats, chats_by_id, held_by};
pub(crate) use reach::{List, Reach, Sql, by_index, push_looked_up, share_of};
