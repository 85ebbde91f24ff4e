//! What may be asked of a medium.

use super::MediaStored;

/// A command to one medium.
#[derive(Clone, Debug)]
pub enum MediaCommand {
    /// Its bytes are kept now.
    Store(Box<MediaStored>),
    /// WhatsApp will never give it to us.
    FailFetch {
        /// WhatsApp's id of it.
        waba_id: String,
        /// Why, for people.
        reason: String,
    },
    /// Forgets it.
    Erase {
        /// Now, POSIX seconds.
        now: i64,
    },
}
