//! Read model `received_marks`: up to when each user has received each chat, and how many messages that is.

mod apply;

pub(crate) use apply::{ReceivedMarks, recount_chat};
