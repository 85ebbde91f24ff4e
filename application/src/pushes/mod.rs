//! What is told to the outside of what was recorded: one [`Push`] for what belongs into one body.
//!
//! Webhooks, websockets and the rule engine all read the ledger through [`PushReader`], so that they tell the same
//! things in the same order. A push says what happened and in which chats; [`PushReader`] adds who had those chats at
//! that very moment. Who is told, and in which words, is not decided here.

mod audience;
#[cfg(test)]
mod audience_tests;
mod group;
mod push;
mod reader;
#[cfg(test)]
mod tests;

pub use audience::{Audience, Listener};
pub(crate) use group::is_one_append;
pub use group::pushes_of;
pub use push::{News, Push, PushedChat};
pub use reader::{PushFault, PushPage, PushReader};
