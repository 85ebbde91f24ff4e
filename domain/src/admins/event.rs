//! What can have happened to the admins.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{decider::Event, ids::UserId};

/// A user became an active admin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AdminJoined {
    /// The user.
    pub user: UserId,
}

/// A user ceased to be an active admin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AdminLeft {
    /// The user.
    pub user: UserId,
}

crate::events! {
    /// An event of the admins.
    AdminsEvent {
        /// One more.
        AdminJoined = "AdminJoined" v "1",
        /// One less.
        AdminLeft = "AdminLeft" v "1",
    }
}

impl Event for AdminsEvent {
    crate::stored_event!();
}
