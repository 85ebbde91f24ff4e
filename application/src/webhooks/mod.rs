//! Where users' programs want to be told.

mod change;
mod deliveries;
mod disable;
mod effects;
mod enable;
mod receivers;
mod register;
mod signing;

pub use change::WebhookChange;
pub use deliveries::{Replayed, WebhookCondition};
pub use signing::{NewSigningSecret, ShownSecret, ShownSecrets};
