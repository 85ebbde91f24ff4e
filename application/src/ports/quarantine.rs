//! Where what WhatsApp sent and we could not record is kept, byte for byte (R-IN-3, R-IN-6).

use async_trait::async_trait;
use chatledger_domain::TenantId;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Unavailable;

/// Something kept.
#[derive(Clone, Debug)]
pub struct Quarantined {
    /// Whose it is; the nil tenant when nobody's.
    pub tenant: TenantId,
    /// Its id.
    pub id: Uuid,
    /// When it came.
    pub received_at: DateTime<Utc>,
    /// The door it came through: `cloud`, or `channel` for a tenant's own.
    pub door: String,
    /// Why it was not recorded.
    pub reason: String,
    /// What came: the whole body, or a body made of the one bad element in its envelope.
    pub body: Vec<u8>,
}

/// The quarantine. `Ok` means durable. Bounded by age and size; what is dropped is counted.
#[async_trait]
pub trait Quarantine: Send + Sync {
    /// Keeps these. The same tenant, door, reason and body kept again is one row still.
    async fn keep(&self, items: Vec<Quarantined>) -> Result<(), Unavailable>;
    /// The newest first; of one tenant or of all.
    async fn list(&self, tenant: Option<TenantId>, limit: i64) -> Result<Vec<Quarantined>, Unavailable>;
    /// One of them.
    async fn get(&self, id: Uuid) -> Result<Option<Quarantined>, Unavailable>;
    /// Forgets one, after it was recorded at last.
    async fn release(&self, tenant: TenantId, id: Uuid) -> Result<(), Unavailable>;
}
