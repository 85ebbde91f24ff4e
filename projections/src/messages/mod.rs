//! Read model `messages`: every message in either direction, with what WhatsApp said about it.

mod apply;
mod fold;
mod hydrate;
mod query;
mod search;

pub(crate) use apply::Messages;
pub(crate) use hydrate::hydrate;
pub(crate) use query::{Span, message, message_ref, messages, newest_incoming, of_span, rows_by_id, sent};
