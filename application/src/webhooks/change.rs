//! Changes and deletes a webhook, for its user and admins.

use chatledger_domain::{
    Endpoint, TenantId, WebhookId,
    webhook::{WebhookCommand, WebhookSubscription},
};

use crate::{
    application::{Application, Context},
    endpoints::{CallTarget, Headers},
    error::ApplicationError,
    ports::deliveries::Kept,
    streams::StreamOf,
};

/// A change of a webhook; `None` leaves as is.
#[derive(Clone, Debug, Default)]
pub struct WebhookChange {
    /// The address.
    pub url: Option<String>,
    /// All headers.
    pub headers: Option<Headers>,
    /// Messages of customers.
    pub on_incoming_message: Option<bool>,
    /// Messages that this side sends.
    pub on_outgoing_message: Option<bool>,
    /// Messages of chats assigned to its user.
    pub on_assigned: Option<bool>,
}

impl Application {
    /// Changes a webhook.
    ///
    /// # Errors
    /// [`ApplicationError::UnknownWebhook`] where there is none or it is not the caller's, `Address`.
    pub async fn change_webhook(
        &self,
        context: &Context,
        id: WebhookId,
        change: WebhookChange,
    ) -> Result<(), ApplicationError> {
        let (stream, webhook) = self.webhook_of(context, id).await?;
        let endpoint = self.changed_target(context, &webhook.endpoint, &change).await?;
        if let (Some(disabled), Some(endpoint)) = (webhook.disabled, &endpoint)
            && *endpoint != webhook.endpoint
        {
            // It will be called again, and told what was kept.
            let kept = Kept::Deliver { dead_since: disabled.since };
            self.deliveries.resume(context.tenant, id, kept).await?;
        }
        let done_by = context.actor.user;
        let streams = [StreamOf::new::<WebhookSubscription>(&stream)];
        let done = self
            .streams
            .transact(context.tenant, &streams, &context.metadata(), self.clock.now(), |d| {
                let now = d.state::<WebhookSubscription>(&stream);
                let mut subscriptions = now.subscriptions;
                for (set, given) in [
                    (&mut subscriptions.on_incoming_message, change.on_incoming_message),
                    (&mut subscriptions.on_outgoing_message, change.on_outgoing_message),
                    (&mut subscriptions.on_assigned, change.on_assigned),
                ] {
                    *set = given.unwrap_or(*set);
                }
                let endpoint = endpoint.clone().unwrap_or_else(|| now.endpoint.clone());
                d.decide::<WebhookSubscription>(&stream, WebhookCommand::Change { endpoint, subscriptions, done_by })?;
                Ok::<_, ApplicationError>(now.endpoint)
            })
            .await;
        match done {
            Ok(done) => {
                self.settle(context.tenant, done.position()).await;
                if let Some(endpoint) = &endpoint {
                    self.forget_target(context.tenant, Some(&done.value), Some(endpoint)).await;
                    if done.value != *endpoint
                        && let Err(error) = self.deliveries.begin_anew(context.tenant, id).await
                    {
                        tracing::warn!(%error, "the next attempts at a changed address are not brought forward");
                    }
                }
                Ok(())
            }
            Err(error) => {
                self.forget_target(context.tenant, endpoint.as_ref(), Some(&webhook.endpoint)).await;
                Err(error)
            }
        }
    }

    /// Deletes a webhook; its user may register again (R-WHK-3).
    ///
    /// # Errors
    /// [`ApplicationError::UnknownWebhook`] where there is none or it is not the caller's.
    pub async fn delete_webhook(&self, context: &Context, id: WebhookId) -> Result<(), ApplicationError> {
        let (stream, _) = self.webhook_of(context, id).await?;
        let done_by = context.actor.user;
        let streams = [StreamOf::new::<WebhookSubscription>(&stream)];
        let done = self
            .streams
            .transact(context.tenant, &streams, &context.metadata(), self.clock.now(), |d| {
                let endpoint = d.state::<WebhookSubscription>(&stream).endpoint;
                d.decide::<WebhookSubscription>(&stream, WebhookCommand::Delete { done_by })?;
                Ok::<_, ApplicationError>(endpoint)
            })
            .await?;
        self.settle(context.tenant, done.position()).await;
        self.forget_target(context.tenant, Some(&done.value), None).await;
        if let Err(error) = self.deliveries.forget(context.tenant, id).await {
            tracing::warn!(%error, "what was delivered to a deleted webhook stays in the database");
        }
        Ok(())
    }

    /// A webhook that the caller may change.
    pub(super) async fn webhook_of(
        &self,
        context: &Context,
        id: WebhookId,
    ) -> Result<(String, WebhookSubscription), ApplicationError> {
        let (stream, webhook) = self.existing_webhook(context.tenant, id).await?;
        let allowed = context.actor.is_admin() || webhook.user == context.actor.user;
        if allowed { Ok((stream, webhook)) } else { Err(ApplicationError::UnknownWebhook) }
    }

    /// A webhook of anybody.
    pub(super) async fn existing_webhook(
        &self,
        tenant: TenantId,
        id: WebhookId,
    ) -> Result<(String, WebhookSubscription), ApplicationError> {
        let found = self.stream_at::<WebhookSubscription>(tenant, id.0).await?;
        let stream = found.ok_or(ApplicationError::UnknownWebhook)?;
        let webhook: WebhookSubscription = self.streams.state(tenant, &stream).await?;
        let known = webhook.exists && webhook.id == id;
        if known { Ok((stream, webhook)) } else { Err(ApplicationError::UnknownWebhook) }
    }

    /// The endpoint after a change; `None` when address and headers stay.
    async fn changed_target(
        &self,
        context: &Context,
        before: &Endpoint,
        change: &WebhookChange,
    ) -> Result<Option<Endpoint>, ApplicationError> {
        if change.url.is_none() && change.headers.is_none() {
            return Ok(None);
        }
        let mut known = self.call_targets(context.tenant, &[before.secret]).await?;
        let known = known.remove(&before.secret).ok_or(ApplicationError::Conflict)?;
        let target = CallTarget {
            url: change.url.clone().unwrap_or(known.url),
            headers: change.headers.clone().unwrap_or(known.headers),
            ..known
        };
        self.seal_target(context.tenant, &target, Some(before)).await.map(Some)
    }
}
