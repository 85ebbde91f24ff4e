//! Registers the caller's webhook.

use chatledger_domain::{
    WebhookId,
    webhook::{Subscriptions, WebhookCommand, WebhookSubscription},
};

use crate::{
    application::{Application, Context},
    endpoints::CallTarget,
    error::ApplicationError,
    streams::StreamOf,
};

impl Application {
    /// Registers the caller's webhook; its id (R-WHK-1).
    ///
    /// # Errors
    /// [`ApplicationError::Address`], or `NameTaken` when the caller has one, also under parallel registrations.
    pub async fn register_webhook(
        &self,
        context: &Context,
        target: &CallTarget,
        subscriptions: Subscriptions,
    ) -> Result<WebhookId, ApplicationError> {
        let endpoint = self.seal_target(context.tenant, target, None).await?;
        let id = self.random.uuid().to_string();
        let streams = [StreamOf::new::<WebhookSubscription>(&id)];
        let user = context.actor.user;
        let done = self
            .streams
            .transact(context.tenant, &streams, &context.metadata(), self.clock.now(), |d| {
                let register = WebhookCommand::Register { user, endpoint: endpoint.clone(), subscriptions };
                d.decide::<WebhookSubscription>(&id, register)
            })
            .await;
        if done.is_err() {
            self.forget_target(context.tenant, Some(&endpoint), None).await;
        }
        let position = done?.position();
        self.settle(context.tenant, position).await;
        position.map(|position| WebhookId(position.0)).ok_or(ApplicationError::Conflict)
    }
}
