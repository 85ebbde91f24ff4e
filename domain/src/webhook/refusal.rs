//! Why a webhook says no.

/// A broken rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookRefusal {
    /// There is no such webhook, or no more.
    #[error("no such webhook")]
    Unknown,
}
