//! Connects WhatsApp numbers to inboxes, and takes them away again.

mod connect;
mod disconnect;
mod record;

pub use connect::{ConnectAccount, ConnectedAccount};
