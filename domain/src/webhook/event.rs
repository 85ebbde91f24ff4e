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

/// Why a webhook is not called any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DisableReason {
    /// It has answered with nothing but failures for days.
    OnlyFailures,
}

impl DisableReason {
    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OnlyFailures => "only_failures",
        }
    }
}

/// The system stopped calling a webhook (R-OUT-4). What it would be told is kept on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookDisabled {
    /// Why.
    pub reason: DisableReason,
    /// Since when it has been so, POSIX seconds.
    pub since: i64,
    /// When it was disabled, POSIX seconds.
    pub timestamp: i64,
}

/// A webhook is called again (R-OUT-4): somebody said so, or gave it another address or other headers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookEnabled {
    /// Whether what was kept meanwhile is delivered.
    pub replay: bool,
    /// Who enabled it; `None` for the operator.
    pub done_by: Option<UserId>,
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
        /// Disabled.
        WebhookDisabled = "WebhookDisabled" v "1",
        /// Enabled.
        WebhookEnabled = "WebhookEnabled" v "1",
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
            Self::WebhookChanged(_) | Self::WebhookDisabled(_) | Self::WebhookEnabled(_) => Vec::new(),
            Self::WebhookDeleted(e) => vec![Claim::Release(holder_claim(e.user))],
        }
    }
}
