//! What may be asked of a group.

use crate::{
    ids::{Position, UserId},
    permission::{Permissions, Role},
};

/// A command to one group.
#[derive(Clone, Debug)]
pub enum GroupCommand {
    /// Creates it.
    Create {
        /// Its name.
        name: String,
        /// The role it gives, for the three built-in groups.
        built_in: Option<Role>,
        /// What its members may do.
        permissions: Permissions,
        /// Who creates it; `None` for the system.
        done_by: Option<UserId>,
    },
    /// Gives it another name.
    Rename {
        /// Its name from now on.
        name: String,
        /// Who renames it.
        done_by: Option<UserId>,
    },
    /// Deletes it; not the three built-in ones.
    Delete {
        /// Who deletes it.
        done_by: Option<UserId>,
    },
    /// Records whose turn it was (R-RUL-3).
    Pick {
        /// Who got a chat.
        user: UserId,
        /// The event that triggered it.
        trigger: Position,
    },
    /// Sets what its members may do.
    ChangePermissions {
        /// What they may do from now on.
        permissions: Permissions,
        /// Who sets it.
        done_by: Option<UserId>,
    },
}
