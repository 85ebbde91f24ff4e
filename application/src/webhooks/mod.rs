//! Where users' programs want to be told.

mod change;
mod register;

pub use change::WebhookChange;
