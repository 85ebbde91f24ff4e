//! Calls a disabled webhook again (R-OUT-4).

use std::sync::Arc;

use chatledger_domain::{
    TenantId, UserId, WebhookId,
    webhook::{WebhookCommand, WebhookSubscription},
};

use crate::{
    application::{Application, Context},
    error::ApplicationError,
    ports::{deliveries::Kept, ledger::Metadata},
    streams::StreamOf,
};

impl Application {
    /// Enables a webhook. With `replay`, everything since it began to fail is delivered, in order; without, it is given
    /// up, and can be replayed later. One that is not disabled stays as it is.
    ///
    /// # Errors
    /// [`ApplicationError::UnknownWebhook`] where there is none or it is not the caller's.
    pub async fn enable_webhook(&self, context: &Context, id: WebhookId, replay: bool) -> Result<(), ApplicationError> {
        let (stream, webhook) = self.webhook_of(context, id).await?;
        let done_by = Some(context.actor.user);
        self.enable(context.tenant, &stream, &webhook, replay, done_by, &context.metadata()).await
    }

    /// The same for the operator.
    ///
    /// # Errors
    /// [`ApplicationError::UnknownWebhook`].
    pub async fn let_webhook_be_called(
        &self,
        tenant: TenantId,
        id: WebhookId,
        replay: bool,
    ) -> Result<(), ApplicationError> {
        let (stream, webhook) = self.existing_webhook(tenant, id).await?;
        self.enable(tenant, &stream, &webhook, replay, None, &self.system("operator", None)).await
    }

    async fn enable(
        &self,
        tenant: TenantId,
        stream: &str,
        webhook: &WebhookSubscription,
        replay: bool,
        done_by: Option<UserId>,
        metadata: &Arc<Metadata>,
    ) -> Result<(), ApplicationError> {
        let Some(disabled) = webhook.disabled else { return Ok(()) };
        // Before it is called again: afterwards some of it might have been delivered.
        let kept = if replay { Kept::Deliver { dead_since: disabled.since } } else { Kept::GiveUp };
        self.deliveries.resume(tenant, webhook.id, kept).await?;
        let streams = [StreamOf::new::<WebhookSubscription>(stream)];
        let done = self
            .streams
            .transact(tenant, &streams, metadata, self.clock.now(), |d| {
                d.decide::<WebhookSubscription>(stream, WebhookCommand::Enable { replay, done_by })
            })
            .await?;
        self.settle(tenant, done.position()).await;
        Ok(())
    }
}
