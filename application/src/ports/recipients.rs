//! What bulk messages ask of the read models.

use async_trait::async_trait;
use chatledger_domain::{Actor, TagId, TenantId, UserId, WaId};
use uuid::Uuid;

use super::Unavailable;

/// Who gets bulk messages, and which are not done.
#[async_trait]
pub trait Recipients: Send + Sync {
    /// What a user may do at this moment; `None` for one that may not act.
    async fn actor(&self, tenant: TenantId, user: UserId) -> Result<Option<Actor>, Unavailable>;
    /// The chats that carry one of the tags and that the actor may write to, by id, at most `limit`.
    async fn writable_with(
        &self,
        tenant: TenantId,
        actor: &Actor,
        tags: &[TagId],
        limit: i64,
    ) -> Result<Vec<WaId>, Unavailable>;
    /// The bulk messages that are not done, oldest first.
    async fn unfinished(&self, tenant: TenantId) -> Result<Vec<Uuid>, Unavailable>;
}
