//! What can have happened to a group.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    decider::{Claim, Event},
    ids::UserId,
    permission::{Permissions, Role},
};

/// A group was created.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupCreated {
    /// Its name.
    pub name: String,
    /// The role it gives, for the three built-in groups.
    pub built_in: Option<Role>,
    /// What its members may do.
    pub permissions: Permissions,
    /// Who created it; `None` for the system.
    pub done_by: Option<UserId>,
}

/// A group got another name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupRenamed {
    /// Its name from now on.
    pub name: String,
    /// Its name until now.
    pub previous_name: String,
    /// Who renamed it; `None` for the system.
    pub done_by: Option<UserId>,
}

/// A group was deleted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupDeleted {
    /// The name it had.
    pub name: String,
    /// Who deleted it; `None` for the system.
    pub done_by: Option<UserId>,
}

/// What a group's members may do was set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupPermissionsChanged {
    /// What they may do from now on.
    pub permissions: Permissions,
    /// Who set it; `None` for the system.
    pub done_by: Option<UserId>,
}

/// A member got a chat because it was its turn (R-RUL-3); the next turn is the next member's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GroupMemberPicked {
    /// Who.
    pub user: UserId,
    /// What the rule engine decided on: the position of the event that triggered it.
    pub trigger: i64,
}

crate::events! {
    /// An event of a group.
    GroupEvent {
        /// Created.
        GroupCreated = "GroupCreated" v "1",
        /// Renamed.
        GroupRenamed = "GroupRenamed" v "1",
        /// Deleted.
        GroupDeleted = "GroupDeleted" v "1",
        /// Permissions set.
        GroupPermissionsChanged = "GroupPermissionsChanged" v "1",
        /// A member's turn was taken.
        GroupMemberPicked = "GroupMemberPicked" v "1",
    }
}

/// The claim of a group's name, without regard to case.
#[must_use]
pub fn name_claim(name: &str) -> String {
    format!("group:{}", name.to_lowercase())
}

impl Event for GroupEvent {
    crate::stored_event!();

    fn claims(&self) -> Vec<Claim> {
        match self {
            Self::GroupCreated(e) => vec![Claim::Take(name_claim(&e.name))],
            Self::GroupRenamed(e) => {
                let (before, after) = (name_claim(&e.previous_name), name_claim(&e.name));
                if before == after { Vec::new() } else { vec![Claim::Release(before), Claim::Take(after)] }
            }
            Self::GroupDeleted(e) => vec![Claim::Release(name_claim(&e.name))],
            Self::GroupPermissionsChanged(_) | Self::GroupMemberPicked(_) => Vec::new(),
        }
    }
}
