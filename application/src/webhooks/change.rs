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

/// What is done to a target.
pub(super) type Edit<'a> = &'a (dyn Fn(&mut CallTarget) + Send + Sync);

/// How often a change is tried while others change the same webhook.
const TRIES: usize = 5;

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
        let edit = |target: &mut CallTarget| {
            target.url = change.url.clone().unwrap_or_else(|| target.url.clone());
            target.headers = change.headers.clone().unwrap_or_else(|| target.headers.clone());
        };
        let is_target = change.url.is_some() || change.headers.is_some();
        self.edit_webhook(context, id, &change, is_target.then_some(&edit as Edit<'_>)).await
    }

    /// Changes a webhook and what is sealed of it; made again when somebody else changed it meanwhile, so that neither
    /// change undoes the other.
    pub(super) async fn edit_webhook(
        &self,
        context: &Context,
        id: WebhookId,
        change: &WebhookChange,
        edit: Option<Edit<'_>>,
    ) -> Result<(), ApplicationError> {
        for _ in 0..TRIES {
            match self.edit_once(context, id, change, edit).await {
                Err(ApplicationError::Conflict) => {}
                done => return done,
            }
        }
        Err(ApplicationError::Conflict)
    }

    async fn edit_once(
        &self,
        context: &Context,
        id: WebhookId,
        change: &WebhookChange,
        edit: Option<Edit<'_>>,
    ) -> Result<(), ApplicationError> {
        let (stream, webhook) = self.webhook_of(context, id).await?;
        let endpoint = match edit {
            Some(edit) => Some(self.edited_target(context, &webhook.endpoint, edit).await?),
            None => None,
        };
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
                if endpoint.is_some() && now.exists && now.endpoint != webhook.endpoint {
                    return Err(ApplicationError::Conflict);
                }
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

    /// The whole of an endpoint. [`ApplicationError::Conflict`] when it changed at this very moment.
    pub(super) async fn target_of(
        &self,
        context: &Context,
        endpoint: &Endpoint,
    ) -> Result<CallTarget, ApplicationError> {
        let mut known = self.call_targets(context.tenant, &[endpoint.secret]).await?;
        known.remove(&endpoint.secret).ok_or(ApplicationError::Conflict)
    }

    /// The endpoint after a change. Secrets may change while nothing answers at the address; anything else not.
    async fn edited_target(
        &self,
        context: &Context,
        before: &Endpoint,
        edit: Edit<'_>,
    ) -> Result<Endpoint, ApplicationError> {
        let known = self.target_of(context, before).await?;
        let mut target = known.clone();
        edit(&mut target);
        let CallTarget { signing, app_secret, .. } = &known;
        let (signing, app_secret) = (signing.clone(), app_secret.clone());
        let only_secrets = CallTarget { signing, app_secret, ..target.clone() } == known && target != known;
        if only_secrets {
            return self.keep_target(context.tenant, &target, before.origin.clone()).await;
        }
        self.seal_target(context.tenant, &target, Some(before)).await
    }
}
