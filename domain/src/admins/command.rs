//! What may be asked of the admins.

use crate::ids::UserId;

/// A command to the admins of an inbox.
#[derive(Clone, Copy, Debug)]
pub enum AdminsCommand {
    /// A user is an active admin from now on.
    Join {
        /// The user.
        user: UserId,
    },
    /// A user is an active admin no more.
    Leave {
        /// The user.
        user: UserId,
    },
}
