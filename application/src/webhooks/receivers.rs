//! The webhooks as receivers of deliveries.

use std::sync::Arc;

use async_trait::async_trait;
use chatledger_domain::TenantId;

use crate::{
    application::Application,
    error::ApplicationError,
    ports::{
        Unavailable,
        receivers::{Receiver, Receivers},
    },
};

#[async_trait]
impl Receivers for Application {
    async fn receivers(&self, tenant: TenantId) -> Result<Vec<Receiver>, Unavailable> {
        let webhooks = self.subscribers.webhooks(tenant).await?;
        let ids = webhooks.iter().map(|webhook| webhook.secret).collect::<Vec<_>>();
        let mut targets = self.call_targets(tenant, &ids).await.map_err(unavailable)?;
        let receiver = |webhook: crate::ports::subscribers::Subscriber| {
            let target = Arc::new(targets.remove(&webhook.secret)?);
            let is_enabled = webhook.is_active && !webhook.is_disabled;
            Some(Receiver { id: webhook.id, user: webhook.user, is_enabled, target })
        };
        Ok(webhooks.into_iter().filter_map(receiver).collect())
    }
}

fn unavailable(error: ApplicationError) -> Unavailable {
    match error {
        ApplicationError::Unavailable(error) => error,
        other => Unavailable::new("the addresses of webhooks", other),
    }
}
