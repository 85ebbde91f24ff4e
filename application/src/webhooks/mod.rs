//! Where users' programs want to be told.

mod change;
mod deliveries;
mod disable;
mod enable;
mod receivers;
mod register;

pub use change::WebhookChange;
pub use deliveries::{Replayed, WebhookCondition};
