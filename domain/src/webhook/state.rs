//! What a webhook's decisions need.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::event::{DisableReason, WebhookEvent};
use crate::{
    endpoint::Endpoint,
    ids::{Position, UserId, WebhookId},
};

/// What a webhook is told of, besides what every one is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Subscriptions {
    /// Messages of customers.
    pub on_incoming_message: bool,
    /// Messages that this side sends.
    pub on_outgoing_message: bool,
    /// Messages of chats assigned to its user.
    pub on_assigned: bool,
}

impl Default for Subscriptions {
    fn default() -> Self {
        Self { on_incoming_message: true, on_outgoing_message: false, on_assigned: false }
    }
}

/// That a webhook is not called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disabled {
    /// Why.
    pub reason: DisableReason,
    /// Since when it has been so, POSIX seconds.
    pub since: i64,
    /// When it was disabled, POSIX seconds.
    pub at: i64,
}

/// A webhook.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WebhookSubscription {
    /// Its id on the wire; 0 before it is registered.
    pub id: WebhookId,
    /// Whose it is.
    pub user: UserId,
    /// Whether it exists.
    pub exists: bool,
    /// Where to.
    pub endpoint: Endpoint,
    /// What of.
    pub subscriptions: Subscriptions,
    /// That it is not called, if so.
    #[serde(default)]
    pub disabled: Option<Disabled>,
}

impl WebhookSubscription {
    pub(super) fn after(&mut self, event: &WebhookEvent, position: Position) {
        match event {
            WebhookEvent::WebhookRegistered(e) => {
                *self = Self {
                    id: WebhookId(position.0),
                    user: e.user,
                    exists: true,
                    endpoint: e.endpoint.clone(),
                    subscriptions: e.subscriptions,
                    disabled: None,
                };
            }
            WebhookEvent::WebhookChanged(e) => {
                self.endpoint.clone_from(&e.endpoint);
                self.subscriptions = e.subscriptions;
            }
            WebhookEvent::WebhookDisabled(e) => {
                self.disabled = Some(Disabled { reason: e.reason, since: e.since, at: e.timestamp });
            }
            WebhookEvent::WebhookEnabled(_) => self.disabled = None,
            WebhookEvent::WebhookDeleted(_) => self.exists = false,
        }
    }
}
