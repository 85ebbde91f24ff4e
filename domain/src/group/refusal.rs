//! Why a group says no.

/// A broken rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GroupRefusal {
    /// There is no such group.
    #[error("no such group")]
    Unknown,
    /// Admins cannot be lowered (R-PERM-2).
    #[error("the permissions of admins cannot be changed")]
    AdminsUnrestricted,
    /// The three built-in groups keep their names and stay.
    #[error("a built-in group stays as it is")]
    BuiltIn,
}
