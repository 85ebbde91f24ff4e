//! What a user's decisions need, and what others ask of it when they decide.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::event::UserEvent;
use crate::{
    ids::{GroupId, Position, UserId},
    permission::{Overrides, Role},
};

/// How a user logs in, is called and is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// Its name for logging in.
    pub username: String,
    /// First name, may be empty.
    pub first_name: String,
    /// Last name, may be empty.
    pub last_name: String,
    /// Address, may be empty.
    pub email: String,
}

/// How a user's access ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Who ended it; `None` for the system.
    pub done_by: Option<UserId>,
}

/// A user.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// Its id on the wire; 0 before it is created.
    pub id: UserId,
    /// Its role; `None` before it is created.
    pub role: Option<Role>,
    /// How it logs in, is called and is reached.
    pub details: Details,
    /// Its groups.
    pub groups: BTreeSet<GroupId>,
    /// Its own permissions.
    pub overrides: Overrides,
    /// Whether it was ever activated.
    pub activated: bool,
    /// How its access ended, once it has.
    pub ended: Option<Ended>,
    /// Whether it takes chats.
    pub is_available: bool,
}

impl User {
    /// Whether it may act, be assigned and be called.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.role.is_some() && self.activated && !self.is_deactivated()
    }

    /// Whether its access ended.
    #[must_use]
    pub fn is_deactivated(&self) -> bool {
        self.ended.is_some()
    }

    /// Whether it is one of those of whom the last has to stay (R-USR-7).
    #[must_use]
    pub fn is_active_admin(&self) -> bool {
        self.is_active() && self.role == Some(Role::Admin)
    }

    pub(super) fn after(&mut self, event: &UserEvent, position: Position) {
        match event {
            UserEvent::UserCreated(e) => {
                *self = Self {
                    id: UserId(position.0),
                    role: Some(e.role),
                    details: Details {
                        username: e.username.clone(),
                        first_name: e.first_name.clone(),
                        last_name: e.last_name.clone(),
                        email: e.email.clone(),
                    },
                    groups: e.groups.clone(),
                    is_available: true,
                    ..Self::default()
                };
            }
            UserEvent::UserActivated(_) => self.activated = true,
            UserEvent::UserDetailsChanged(e) => {
                self.details = Details {
                    username: e.username.clone(),
                    first_name: e.first_name.clone(),
                    last_name: e.last_name.clone(),
                    email: e.email.clone(),
                };
            }
            UserEvent::UserPermissionsChanged(e) => self.overrides = e.overrides,
            UserEvent::UserGroupsChanged(e) => {
                self.role = Some(e.role);
                self.groups.clone_from(&e.groups);
            }
            UserEvent::AvailabilityChanged(e) => self.is_available = e.is_available,
            UserEvent::UserDeactivated(e) => self.ended = Some(Ended { done_by: e.done_by }),
            UserEvent::PasswordChanged(_) | UserEvent::TokenIssued(_) | UserEvent::RefreshTokenIssued(_) => {}
        }
    }
}
