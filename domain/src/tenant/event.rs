//! What can have happened to a tenant.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::state::Settings;
use crate::{decider::Event, ids::UserId};

/// A tenant was created.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TenantCreated {
    /// Its short name in hosts and headers.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// The hosts it is reached under.
    #[serde(default)]
    pub hosts: Vec<String>,
}

/// A tenant's settings were set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SettingsChanged {
    /// All of them.
    pub settings: Settings,
    /// Who set them; `None` for the system.
    pub done_by: Option<UserId>,
}

crate::events! {
    /// An event of a tenant.
    TenantEvent {
        /// Created.
        TenantCreated = "TenantCreated" v "1",
        /// Settings set.
        SettingsChanged = "TenantSettingsChanged" v "1",
    }
}

impl Event for TenantEvent {
    crate::stored_event!();
}
