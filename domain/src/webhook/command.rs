//! What may be asked of a webhook.

use super::Subscriptions;
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
    /// Deletes it; its user may register again.
    Delete {
        /// Who deletes it.
        done_by: UserId,
    },
}
