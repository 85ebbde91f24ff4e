//! Stops calling a webhook that has only failed for days (R-OUT-4).

use chatledger_domain::{
    TenantId, WebhookId,
    webhook::{DisableReason, WebhookCommand, WebhookSubscription},
};

use crate::{application::Application, error::ApplicationError, streams::StreamOf};

impl Application {
    /// Disables a webhook that has had nothing but failures since `since`, POSIX seconds. What it would be told is
    /// kept on. Nothing happens to one that is disabled already, or deleted.
    ///
    /// Its user and the admins are told by the event, the webhook's status, the list of webhooks, the log and a metric.
    ///
    /// # Errors
    /// A port's fault; may be asked again.
    pub async fn disable_webhook(&self, tenant: TenantId, id: WebhookId, since: i64) -> Result<(), ApplicationError> {
        let stream = self.stream_at::<WebhookSubscription>(tenant, id.0).await?;
        let stream = stream.ok_or(ApplicationError::UnknownWebhook)?;
        let streams = [StreamOf::new::<WebhookSubscription>(&stream)];
        let now = self.clock.now();
        let (metadata, reason) = (self.system("deliveries", None), DisableReason::OnlyFailures);
        let done = self
            .streams
            .transact(tenant, &streams, &metadata, now, |d| {
                if d.state::<WebhookSubscription>(&stream).exists {
                    let disable = WebhookCommand::Disable { reason, since, now: now.timestamp() };
                    d.decide::<WebhookSubscription>(&stream, disable)?;
                }
                Ok::<_, ApplicationError>(())
            })
            .await?;
        if let Some(position) = done.position() {
            tracing::warn!(%tenant, webhook = id.0, since, "a webhook is disabled: it has only failed for days");
            metrics::counter!("chatledger_webhooks_disabled_total").increment(1);
            self.settle(tenant, Some(position)).await;
        }
        // From here on the ledger knows; and of a deleted one nobody needs to.
        Ok(self.deliveries.forget_failures(tenant, id).await?)
    }
}
