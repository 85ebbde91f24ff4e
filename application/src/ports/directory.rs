//! Which tenant a host, a slug, a number or a secret belongs to.

use async_trait::async_trait;
use chatledger_domain::{
    TenantId,
    tenant::Settings,
    whatsapp_account::{Channel, Number},
};

use super::Unavailable;

/// A tenant as the doors need it.
#[derive(Clone, Debug, PartialEq)]
pub struct TenantEntry {
    /// Its id.
    pub id: TenantId,
    /// Its short name.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Its hosts, lower-case, without port.
    pub hosts: Vec<String>,
    /// Its settings.
    pub settings: Settings,
    /// Its connected number.
    pub number: Option<Number>,
}

impl TenantEntry {
    /// How WhatsApp is reached.
    #[must_use]
    pub fn channel(&self) -> Option<Channel> {
        self.number.as_ref().map(|number| number.channel)
    }
}

/// Whose a number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// This tenant's.
    Tenant(TenantId),
    /// Some tenant's once and nobody's now: what comes for it is acknowledged and left (R-ACC-2).
    GivenUp,
    /// It never was anybody's.
    Nobody,
}

/// All tenants. Kept in memory; a miss looks again at most once a second, so an answer is at most that old.
#[async_trait]
pub trait Directory: Send + Sync {
    /// Every tenant.
    async fn all(&self) -> Result<std::sync::Arc<[TenantEntry]>, Unavailable>;
    /// By id.
    async fn by_id(&self, tenant: TenantId) -> Result<Option<TenantEntry>, Unavailable>;
    /// By short name.
    async fn by_slug(&self, slug: &str) -> Result<Option<TenantEntry>, Unavailable>;
    /// By host, lower-case, without port.
    async fn by_host(&self, host: &str) -> Result<Option<TenantEntry>, Unavailable>;
    /// By WhatsApp's id of its number.
    async fn by_phone_number_id(&self, phone_number_id: &str) -> Result<Option<TenantEntry>, Unavailable>;
    /// Whose a number is, as recorded: for numbers that are not found, which may have been connected just now.
    async fn holder(&self, phone_number_id: &str) -> Result<Holder, Unavailable>;
    /// Those whose secrets begin with this tag; nearly always one or none.
    async fn by_tag(&self, tag: &str) -> Result<Vec<TenantId>, Unavailable>;
}
