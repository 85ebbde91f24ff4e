//! One message to many chats: created in a request, carried out by a reactor.

mod carry_out;
mod create;

pub use create::NewBulkMessage;
