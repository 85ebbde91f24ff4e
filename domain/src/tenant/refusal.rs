//! Why a tenant says no.

/// A broken rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TenantRefusal {
    /// There is no such tenant.
    #[error("no such tenant")]
    Unknown,
    /// The slug is in use.
    #[error("a tenant with this slug exists")]
    Exists,
}
