//! Secrets that an event refers to by id, and what is left of tokens once they are shown: a hash.

use std::collections::HashMap;

use async_trait::async_trait;
use chatledger_domain::{SecretId, TenantId};
use uuid::Uuid;

use super::Unavailable;

/// Keeps them. Write before the event that refers to a secret, so that what an event names is always there; what a
/// crash leaves behind is named by nobody and opens nothing.
#[async_trait]
pub trait Secrets: Send + Sync {
    /// Keeps a secret, encrypted and bound to its tenant and id.
    async fn seal(&self, tenant: TenantId, id: SecretId, secret: &str) -> Result<(), Unavailable>;
    /// Gives these back; what is not there is left out.
    async fn unseal(&self, tenant: TenantId, ids: &[SecretId]) -> Result<HashMap<SecretId, String>, Unavailable>;
    /// Forgets one.
    async fn forget(&self, tenant: TenantId, id: SecretId) -> Result<(), Unavailable>;
    /// Keeps the hash of an API token under the stream of its events.
    async fn keep_api_token(&self, tenant: TenantId, stream: Uuid, token: &str) -> Result<(), Unavailable>;
    /// Forgets it.
    async fn forget_api_token(&self, tenant: TenantId, stream: Uuid) -> Result<(), Unavailable>;
}
