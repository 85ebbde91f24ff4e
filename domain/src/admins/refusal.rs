//! Why the admins say no.

/// A broken rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdminsRefusal {
    /// Nobody would be left to look after the inbox (R-USR-7).
    #[error("the last active admin has to stay")]
    Last,
}
