//! What follows from deliveries, as the dispatcher tells it.

use async_trait::async_trait;
use chatledger_domain::{TenantId, UserId, WaId, WebhookId};

use crate::{
    application::Application,
    error::ApplicationError,
    ports::{Unavailable, delivery_effects::DeliveryEffects},
};

#[async_trait]
impl DeliveryEffects for Application {
    async fn delivered(&self, tenant: TenantId, marks: &[(WaId, UserId, i64)]) -> Result<(), Unavailable> {
        self.mark_delivered(tenant, marks).await.map_err(unavailable)
    }

    async fn only_failed(&self, tenant: TenantId, webhook: WebhookId, since: i64) -> Result<(), Unavailable> {
        self.disable_webhook(tenant, webhook, since).await.map_err(unavailable)
    }
}

fn unavailable(error: ApplicationError) -> Unavailable {
    match error {
        ApplicationError::Unavailable(error) => error,
        other => Unavailable::new("the ledger", other),
    }
}
