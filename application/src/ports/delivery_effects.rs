//! What follows from deliveries for the inbox.

use async_trait::async_trait;
use chatledger_domain::{TenantId, UserId, WaId, WebhookId};

use super::Unavailable;

/// Takes what follows from deliveries to the ledger. Every call may come again; `Ok` means durable.
#[async_trait]
pub trait DeliveryEffects: Send + Sync {
    /// Users received the messages of chats up to a time each, POSIX seconds (R-IWH-10).
    async fn delivered(&self, tenant: TenantId, marks: &[(WaId, UserId, i64)]) -> Result<(), Unavailable>;

    /// A webhook has had nothing but failures since this time, POSIX seconds (R-OUT-4).
    async fn only_failed(&self, tenant: TenantId, webhook: WebhookId, since: i64) -> Result<(), Unavailable>;
}
