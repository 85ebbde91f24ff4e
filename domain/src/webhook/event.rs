//! What can have happened to a webhook.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Subscriptions;
use crate::{
    decider::{Claim, Event},
    endpoint::Endpoint,
    ids::UserId,
};

/// A webhook was registered; it is told of what happens after this event (R-WHK-2).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookRegistered {
    /// Whose it is.
    pub user: UserId,
    /// Where to.
    pub endpoint: Endpoint,
    /// What of.
    pub subscriptions: Subscriptions,
}

/// A webhook was changed. Carries everything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookChanged {
    /// Where to, from now on.
    pub endpoint: Endpoint,
    /// What of, from now on.
    pub subscriptions: Subscriptions,
    /// Who changed it.
    pub done_by: UserId,
}

/// A webhook was deleted; nothing is delivered to it any more (R-WHK-3).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookDeleted {
    /// Whose it was.
    pub user: UserId,
    /// Who deleted it.
    pub done_by: UserId,
}

crate::events! {
    /// An event of a webhook.
    WebhookEvent {
        /// Registered.
        WebhookRegistered = "WebhookRegistered" v "1",
        /// Changed.
        WebhookChanged = "WebhookChanged" v "1",
        /// Deleted.
        WebhookDeleted = "WebhookDeleted" v "1",
    }
}

/// The claim that lets a user have one webhook (R-WHK-1).
#[must_use]
pub fn holder_claim(user: UserId) -> String {
    format!("webhook:{user}")
}

impl Event for WebhookEvent {
    crate::stored_event!();

    fn claims(&self) -> Vec<Claim> {
        match self {
            Self::WebhookRegistered(e) => vec![Claim::Take(holder_claim(e.user))],
            Self::WebhookChanged(_) => Vec::new(),
            Self::WebhookDeleted(e) => vec![Claim::Release(holder_claim(e.user))],
        }
    }
}
