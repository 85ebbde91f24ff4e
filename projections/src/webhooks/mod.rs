//! Read model `webhooks`: where users' programs want to be told.

mod apply;
mod query;
mod subscribers;
mod view;

pub(crate) use apply::Webhooks;
pub use view::{DisabledView, WebhookView};
