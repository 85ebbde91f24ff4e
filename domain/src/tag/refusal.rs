//! Why a tag says no.

/// A broken rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TagRefusal {
    /// There is no such tag, or no more.
    #[error("no such tag")]
    Unknown,
}
