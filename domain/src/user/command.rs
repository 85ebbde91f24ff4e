//! What may be asked of a user.

use std::collections::BTreeSet;

use crate::{
    ids::{GroupId, UserId},
    permission::{Overrides, Role},
};

/// A command to one user. `done_by` is `None` for the system.
#[derive(Clone, Debug)]
pub enum UserCommand {
    /// Creates it; it cannot log in before it is activated (R-USR-3).
    Create {
        /// Its name for logging in.
        username: String,
        /// First name, may be empty.
        first_name: String,
        /// Last name, may be empty.
        last_name: String,
        /// Address, may be empty.
        email: String,
        /// Its role.
        role: Role,
        /// Its groups, the built-in one of its role among them.
        groups: BTreeSet<GroupId>,
        /// Who creates it.
        done_by: Option<UserId>,
    },
    /// Activates it.
    Activate,
    /// Records that its password was set; the password itself is kept elsewhere, hashed.
    RecordPassword {
        /// Who set it.
        done_by: Option<UserId>,
    },
    /// Records that its token was issued; the token itself is kept elsewhere, encrypted.
    RecordToken,
    /// Records that a refresh token was made.
    RecordRefreshToken {
        /// Until when it can be used, in POSIX seconds.
        expires_at: i64,
    },
    /// Sets how it logs in, is called and is reached.
    ChangeDetails {
        /// Its name for logging in.
        username: String,
        /// First name, may be empty.
        first_name: String,
        /// Last name, may be empty.
        last_name: String,
        /// Address, may be empty.
        email: String,
        /// Who sets them.
        done_by: Option<UserId>,
    },
    /// Sets its own permissions.
    ChangePermissions {
        /// What differs from its groups.
        overrides: Overrides,
        /// Who sets them.
        done_by: Option<UserId>,
    },
    /// Moves it to other groups; the role follows from the built-in one.
    ChangeGroups {
        /// The role from now on.
        role: Role,
        /// All its groups from now on.
        groups: BTreeSet<GroupId>,
        /// Who moves it.
        done_by: Option<UserId>,
    },
    /// Says whether it takes chats.
    ChangeAvailability {
        /// Whether it does.
        is_available: bool,
        /// Who says so.
        done_by: Option<UserId>,
    },
    /// Ends its access.
    Deactivate {
        /// Who ends it.
        done_by: Option<UserId>,
    },
}
