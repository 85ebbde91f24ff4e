//! Why a bulk message says no.

/// A broken rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BulkMessageRefusal {
    /// There is no such bulk message, or it is not for this recipient.
    #[error("no such bulk message")]
    Unknown,
}
