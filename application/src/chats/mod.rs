//! What users and programs do with chats.

mod assign;
mod conversations;
mod daily_limit;
mod mark_as_received;
mod mark_delivered;
mod resolve;
mod send;
mod settle;
mod tag;
mod take;

pub(crate) use send::{ACCOUNT, TENANT};
pub use send::{SendMessage, Sending, SendingOutcome};
pub(crate) use tag::Remover;
pub(crate) use take::Holder;
