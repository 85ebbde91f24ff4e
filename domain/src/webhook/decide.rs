//! The rules of webhooks. That a user has one at most is held by a claim.

use super::{
    WebhookChanged, WebhookCommand, WebhookDeleted, WebhookEvent, WebhookRefusal, WebhookRegistered,
    WebhookSubscription,
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
                Ok(vec![WebhookChanged { endpoint, subscriptions, done_by }.into()])
            }
            WebhookCommand::Delete { done_by } => Ok(vec![WebhookDeleted { user: self.user, done_by }.into()]),
        }
    }

    fn evolve(&mut self, event: &WebhookEvent, position: Position) {
        self.after(event, position);
    }
}
