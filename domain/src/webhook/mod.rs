//! Webhooks of the Integration API: where a user's program wants to be told (R-WHK-*).

mod command;
mod decide;
mod event;
mod refusal;
mod state;
#[cfg(test)]
mod tests;

pub use command::WebhookCommand;
pub use event::{
    DisableReason, WebhookChanged, WebhookDeleted, WebhookDisabled, WebhookEnabled, WebhookEvent, WebhookRegistered,
    holder_claim,
};
pub use refusal::WebhookRefusal;
pub use state::{Disabled, Subscriptions, WebhookSubscription};
