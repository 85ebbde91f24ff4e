//! What may be asked of a bulk message.

use super::{BulkMessageCreated, ElementOutcome};
use crate::wa_id::WaId;

/// A command to one bulk message.
#[derive(Clone, Debug)]
pub enum BulkMessageCommand {
    /// Creates it.
    Create(BulkMessageCreated),
    /// Records what became of one recipient's message.
    Settle {
        /// The recipient.
        wa_id: WaId,
        /// What became of it.
        outcome: ElementOutcome,
        /// Now, POSIX seconds.
        now: i64,
    },
    /// Forgets a recipient; it gets no message any more.
    Erase {
        /// The recipient.
        wa_id: WaId,
        /// Now, POSIX seconds.
        now: i64,
    },
}
