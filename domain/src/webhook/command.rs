//! What may be asked of a webhook.

use super::{DisableReason, Subscriptions};
use crate::{endpoint::Endpoint, ids::UserId};

/// A command to one webhook.
#[derive(Clone, Debug)]
pub enum WebhookCommand {
    /// Registers it.
    Register {
        /// Whose it is.
        user: UserId,
        /// Where to.
        endpoint: Endpoint,
        /// What of.
        subscriptions: Subscriptions,
    },
    /// Sets where to and what of.
    Change {
        /// Where to.
        endpoint: Endpoint,
        /// What of.
        subscriptions: Subscriptions,
        /// Who changes it.
        done_by: UserId,
    },
    /// Stops calling it (R-OUT-4).
    Disable {
        /// Why.
        reason: DisableReason,
        /// Since when it has been so, POSIX seconds.
        since: i64,
        /// POSIX seconds.
        now: i64,
    },
    /// Calls it again.
    Enable {
        /// Whether what was kept meanwhile is delivered.
        replay: bool,
        /// Who enables it; `None` for the operator.
        done_by: Option<UserId>,
    },
    /// Deletes it; its user may register again.
    Delete {
        /// Who deletes it.
        done_by: UserId,
    },
}
