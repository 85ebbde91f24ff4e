//! What may be asked of a saved response.

use crate::ids::UserId;

/// A command to one saved response.
#[derive(Clone, Debug)]
pub enum SavedResponseCommand {
    /// Creates it.
    Create {
        /// Its text.
        text: String,
        /// Who creates it.
        done_by: UserId,
        /// Now, POSIX seconds.
        now: i64,
    },
    /// Deletes it. Any user may: they are everybody's (R-SAV-1).
    Delete {
        /// Who deletes it.
        done_by: UserId,
    },
}
