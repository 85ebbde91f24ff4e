//! Why a saved response says no.

/// A broken rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SavedResponseRefusal {
    /// There is no such response, or no more.
    #[error("no such saved response")]
    Unknown,
}
