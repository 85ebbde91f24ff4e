//! What can have happened to a user. No secret is ever in here.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    decider::{Claim, Event},
    ids::{GroupId, UserId},
    permission::{Overrides, Role},
};

/// A user was created.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UserCreated {
    /// Its name for logging in.
    pub username: String,
    /// First name, may be empty.
    pub first_name: String,
    /// Last name, may be empty.
    pub last_name: String,
    /// Address, may be empty.
    pub email: String,
    /// Its role.
    pub role: Role,
    /// Its groups.
    pub groups: BTreeSet<GroupId>,
    /// Who created it; `None` for the system.
    pub done_by: Option<UserId>,
}

/// A user was activated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UserActivated {}

/// A user's password was set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PasswordChanged {
    /// Who set it; `None` for the system.
    pub done_by: Option<UserId>,
}

/// A user's token was issued.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TokenIssued {}

/// A secret was made that can be exchanged for the user's token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RefreshTokenIssued {
    /// Until when, in POSIX seconds.
    pub expires_at: i64,
}

/// A user's name for logging in, names or address changed. Carries all of them, and the name for logging in before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UserDetailsChanged {
    /// Its name for logging in from now on.
    pub username: String,
    /// Its name for logging in until now.
    pub previous_username: String,
    /// First name, may be empty.
    pub first_name: String,
    /// Last name, may be empty.
    pub last_name: String,
    /// Address, may be empty.
    pub email: String,
    /// Who changed them; `None` for the system.
    pub done_by: Option<UserId>,
}

/// A user's own permissions were set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UserPermissionsChanged {
    /// What differs from its groups.
    pub overrides: Overrides,
    /// Who set them; `None` for the system.
    pub done_by: Option<UserId>,
}

/// A user was moved to other groups.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UserGroupsChanged {
    /// The role from now on.
    pub role: Role,
    /// All its groups from now on.
    pub groups: BTreeSet<GroupId>,
    /// Who moved it; `None` for the system.
    pub done_by: Option<UserId>,
}

/// A user began or stopped taking chats.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AvailabilityChanged {
    /// Whether it takes chats.
    pub is_available: bool,
    /// Who said so; `None` for the system.
    pub done_by: Option<UserId>,
}

/// A user's access ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UserDeactivated {
    /// Who ended it; `None` for the system.
    pub done_by: Option<UserId>,
}

crate::events! {
    /// An event of a user.
    UserEvent {
        /// Created.
        UserCreated = "UserCreated" v "1",
        /// Activated.
        UserActivated = "UserActivated" v "1",
        /// Password set.
        PasswordChanged = "PasswordChanged" v "1",
        /// Token issued.
        TokenIssued = "TokenIssued" v "1",
        /// Refresh token made.
        RefreshTokenIssued = "RefreshTokenIssued" v "1",
        /// Names or address changed.
        UserDetailsChanged = "UserDetailsChanged" v "1",
        /// Own permissions set.
        UserPermissionsChanged = "UserPermissionsChanged" v "1",
        /// Moved to other groups.
        UserGroupsChanged = "UserGroupsChanged" v "1",
        /// Availability changed.
        AvailabilityChanged = "UserAvailabilityChanged" v "1",
        /// Access ended.
        UserDeactivated = "UserDeactivated" v "1",
    }
}

/// The claim of a username, without regard to case.
#[must_use]
pub fn username_claim(username: &str) -> String {
    format!("username:{}", username.to_lowercase())
}

impl Event for UserEvent {
    crate::stored_event!();

    fn claims(&self) -> Vec<Claim> {
        match self {
            Self::UserCreated(e) => vec![Claim::Take(username_claim(&e.username))],
            Self::UserDetailsChanged(e) => {
                let (before, after) = (username_claim(&e.previous_username), username_claim(&e.username));
                if before == after { Vec::new() } else { vec![Claim::Release(before), Claim::Take(after)] }
            }
            // A name stays its user's when the access ends: whoever is named in the history is one user for ever.
            _ => Vec::new(),
        }
    }
}
