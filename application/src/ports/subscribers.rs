//! What planning deliveries asks of the read models: who wants to be told.

use async_trait::async_trait;
use chatledger_domain::{Decider, SecretId, TenantId, UserId, webhook::WebhookSubscription};
use uuid::Uuid;

use super::{Unavailable, ledger::StreamId};

/// A webhook that is not deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscriber {
    /// The position of the event that registered it.
    pub id: i64,
    /// Its stream's own id.
    pub aggregate_id: String,
    /// Whose it is.
    pub user: UserId,
    /// The secret that holds its address, headers and keys.
    pub secret: SecretId,
    /// Whether its user is active.
    pub is_active: bool,
    /// Whether it is disabled.
    pub is_disabled: bool,
}

impl Subscriber {
    /// Its stream in the ledger.
    #[must_use]
    pub fn stream(&self) -> StreamId {
        StreamId { aggregate_type: WebhookSubscription::TYPE, aggregate_id: self.aggregate_id.clone() }
    }
}

/// Who wants to be told.
#[async_trait]
pub trait Subscribers: Send + Sync {
    /// The webhooks that are not deleted, by id.
    async fn webhooks(&self, tenant: TenantId) -> Result<Vec<Subscriber>, Unavailable>;
    /// Who sends a bulk message.
    async fn bulk_sender(&self, tenant: TenantId, task: Uuid) -> Result<Option<UserId>, Unavailable>;
}
