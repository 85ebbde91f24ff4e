//! Read model `assignments`: who assigned which chat to whom when. Who holds a chat now is in `chats`.

mod apply;
mod query;

pub(crate) use apply::Assignments;
pub(crate) use query::{assignments_at, events};
