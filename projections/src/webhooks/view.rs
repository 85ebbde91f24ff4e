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
    /// That it is not called, if so.
    pub disabled: Option<DisabledView>,
}

/// Why and since when a webhook is not called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisabledView {
    /// Why, as the ledger names it.
    pub reason: String,
    /// Since when it had only failed, POSIX seconds.
    pub since: i64,
    /// When it was disabled, POSIX seconds.
    pub at: i64,
}
