//! What became of a webhook's deliveries, for its user and admins (R-OUT-4).

use chatledger_domain::WebhookId;
use chatledger_domain::webhook::Disabled;
use uuid::Uuid;

use crate::{
    application::{Application, Context},
    error::ApplicationError,
    ports::deliveries::{DeliveryCondition, DeliveryDetail, DeliveryFilter, DeliveryPage, DeliveryState},
};

/// What a replay did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// How many deliveries are made again.
    pub replayed: u64,
    /// What was delivered before this time, POSIX seconds, was asked for and is kept no more; `None` where nothing is
    /// known to be missing.
    pub forgotten_before: Option<i64>,
}

/// How a webhook is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebhookCondition {
    /// That it is not called, if so.
    pub disabled: Option<Disabled>,
    /// Its deliveries.
    pub deliveries: DeliveryCondition,
}

impl Application {
    /// A webhook's deliveries, the newest first.
    ///
    /// # Errors
    /// [`ApplicationError::UnknownWebhook`] where there is none or it is not the caller's.
    pub async fn deliveries(
        &self,
        context: &Context,
        id: WebhookId,
        filter: &DeliveryFilter,
        (limit, offset): (i64, i64),
    ) -> Result<DeliveryPage, ApplicationError> {
        self.webhook_of(context, id).await?;
        Ok(self.deliveries.list(context.tenant, id, filter, limit, offset).await?)
    }

    /// One of them.
    ///
    /// # Errors
    /// [`ApplicationError::UnknownWebhook`] where there is none or it is not the caller's, `UnknownDelivery`.
    pub async fn delivery(
        &self,
        context: &Context,
        id: WebhookId,
        delivery: Uuid,
    ) -> Result<DeliveryDetail, ApplicationError> {
        self.webhook_of(context, id).await?;
        let found = self.deliveries.get(context.tenant, Some(id), delivery).await?;
        found.ok_or(ApplicationError::UnknownDelivery)
    }

    /// Makes deliveries again: the same ids and bytes.
    ///
    /// # Errors
    /// [`ApplicationError::UnknownWebhook`] where there is none or it is not the caller's.
    pub async fn replay_deliveries(
        &self,
        context: &Context,
        id: WebhookId,
        filter: &DeliveryFilter,
    ) -> Result<Replayed, ApplicationError> {
        self.webhook_of(context, id).await?;
        let replayed = self.deliveries.replay(context.tenant, id, filter).await?;
        let mut forgotten_before = None;
        if filter.ids.is_empty() && filter.states.contains(&DeliveryState::Delivered) {
            let kept = self.deliveries.oldest(context.tenant, id).await?;
            forgotten_before = kept.filter(|oldest| filter.since.is_none_or(|since| since < *oldest));
        }
        Ok(Replayed { replayed, forgotten_before })
    }

    /// How a webhook is.
    ///
    /// # Errors
    /// [`ApplicationError::UnknownWebhook`] where there is none or it is not the caller's.
    pub async fn webhook_condition(
        &self,
        context: &Context,
        id: WebhookId,
    ) -> Result<WebhookCondition, ApplicationError> {
        let (_, webhook) = self.webhook_of(context, id).await?;
        let deliveries = self.deliveries.conditions(context.tenant, &[id]).await?.first().copied();
        Ok(WebhookCondition { disabled: webhook.disabled, deliveries: deliveries.unwrap_or_default() })
    }
}
