//! Why a token says no.

/// A broken rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiTokenRefusal {
    /// There is no such token, or no more.
    #[error("no such token")]
    Unknown,
}
