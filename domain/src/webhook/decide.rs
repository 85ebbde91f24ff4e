//! The rules of webhooks. That a user has one at most is held by a claim.

use super::{
    WebhookChanged, WebhookCommand, WebhookDeleted, WebhookDisabled, WebhookEnabled, WebhookEvent, WebhookRefusal,
    WebhookRegistered, WebhookSubscription,
};
use crate::{decider::Decider, ids::Position};

impl Decider for WebhookSubscription {
    const TYPE: &'static str = "WebhookSubscription";
    type Command = WebhookCommand;
    type Event = WebhookEvent;
    type Refusal = WebhookRefusal;

    fn decide(&self, command: WebhookCommand) -> Result<Vec<WebhookEvent>, WebhookRefusal> {
        match command {
            WebhookCommand::Register { .. } if self.exists => Ok(Vec::new()),
            WebhookCommand::Register { user, endpoint, subscriptions } => {
                Ok(vec![WebhookRegistered { user, endpoint, subscriptions }.into()])
            }
            _ if !self.exists => Err(WebhookRefusal::Unknown),
            WebhookCommand::Change { endpoint, subscriptions, .. }
                if endpoint == self.endpoint && subscriptions == self.subscriptions =>
            {
                Ok(Vec::new())
            }
            WebhookCommand::Change { endpoint, subscriptions, done_by } => {
                // Whoever corrects an address or a header wants it called, with all that was kept for it.
                let corrected = self.disabled.is_some() && endpoint != self.endpoint;
                let enabled = corrected.then_some(WebhookEnabled { replay: true, done_by: Some(done_by) });
                let changed = WebhookChanged { endpoint, subscriptions, done_by };
                Ok([changed.into()].into_iter().chain(enabled.map(Into::into)).collect())
            }
            WebhookCommand::Disable { .. } if self.disabled.is_some() => Ok(Vec::new()),
            WebhookCommand::Disable { reason, since, now } => {
                Ok(vec![WebhookDisabled { reason, since, timestamp: now }.into()])
            }
            WebhookCommand::Enable { .. } if self.disabled.is_none() => Ok(Vec::new()),
            WebhookCommand::Enable { replay, done_by } => Ok(vec![WebhookEnabled { replay, done_by }.into()]),
            WebhookCommand::Delete { done_by } => Ok(vec![WebhookDeleted { user: self.user, done_by }.into()]),
        }
    }

    fn evolve(&mut self, event: &WebhookEvent, position: Position) {
        self.after(event, position);
    }
}
