//! Where users' programs want to be told.

mod change;
mod disable;
mod register;

pub use change::WebhookChange;
