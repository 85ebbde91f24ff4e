//! Outgoing webhooks: what is due to whom, and the calls that carry it.

pub mod caller;
pub mod delivery;
