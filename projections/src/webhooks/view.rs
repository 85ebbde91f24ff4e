//! What the queries answer.

use chatledger_domain::{Endpoint, UserId, WebhookId, webhook::Subscriptions};

/// A webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookView {
    /// Its id: the position of its registration.
    pub id: WebhookId,
    /// Whose it is.
    pub user: UserId,
    /// The user's name.
    pub username: String,
    /// Where to.
    pub endpoint: Endpoint,
    /// What of.
    pub subscriptions: Subscriptions,
}
