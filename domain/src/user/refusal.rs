//! Why a user says no.

/// A broken rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserRefusal {
    /// There is no such user, or its access has ended.
    #[error("no such user")]
    Unknown,
}
