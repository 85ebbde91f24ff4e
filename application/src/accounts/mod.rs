//! Connects WhatsApp numbers to inboxes, and takes them away again.

mod connect;
mod disconnect;
mod record;
mod requester;

pub use connect::{ConnectAccount, ConnectedAccount};
pub use requester::Requester;
