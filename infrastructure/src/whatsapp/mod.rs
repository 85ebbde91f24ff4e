//! WhatsApp from both sides: how its webhooks are checked and read, how it is called, and a simulator of it.

pub mod client;
pub mod payload;
pub mod provider;
pub mod signature;
pub mod simulator;

pub use client::{Endpoints, WhatsAppClient};
pub use payload::{NotACall, body_of, envelope_of, read};
