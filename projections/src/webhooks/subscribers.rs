//! The port through which deliveries are planned.

use async_trait::async_trait;
use chatledger_application::ports::{
    Unavailable,
    subscribers::{Subscriber, Subscribers},
};
use chatledger_domain::{TenantId, UserId};
use uuid::Uuid;

use super::query::webhooks;
use crate::{Models, bulk_messages, unavailable};

#[async_trait]
impl Subscribers for Models {
    async fn webhooks(&self, tenant: TenantId) -> Result<Vec<Subscriber>, Unavailable> {
        webhooks(&mut *self.db().await?, tenant).await.map_err(unavailable)
    }

    async fn bulk_sender(&self, tenant: TenantId, task: Uuid) -> Result<Option<UserId>, Unavailable> {
        bulk_messages::sender(&mut *self.db().await?, tenant, task).await.map_err(unavailable)
    }
}
