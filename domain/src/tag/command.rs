//! What may be asked of a tag.

use crate::ids::UserId;

/// A command to one tag.
#[derive(Clone, Debug)]
pub enum TagCommand {
    /// Creates it.
    Create {
        /// Its name.
        name: String,
        /// Its colour in the Web Inbox.
        web_inbox_color: Option<String>,
        /// Who creates it.
        done_by: UserId,
    },
    /// Changes name, colour or both; `None` leaves as is.
    Change {
        /// The new name.
        name: Option<String>,
        /// The new colour; `Some(None)` removes it.
        web_inbox_color: Option<Option<String>>,
        /// Who changes it.
        done_by: UserId,
    },
    /// Deletes it. Its taggings are removed by a reactor, each with an event of its own.
    Delete {
        /// Who deletes it.
        done_by: UserId,
    },
}
