//! What may be asked of a tenant.

use super::state::Settings;
use crate::ids::UserId;

/// A command to one tenant.
#[derive(Clone, Debug)]
pub enum TenantCommand {
    /// Creates it.
    Create {
        /// Its short name in hosts and headers.
        slug: String,
        /// Its name for people.
        name: String,
        /// The hosts it is reached under.
        hosts: Vec<String>,
    },
    /// Sets its settings.
    ChangeSettings {
        /// All of them.
        settings: Settings,
        /// Who sets them; `None` for the system.
        done_by: Option<UserId>,
    },
}
