//! What a user's decisions need, and what others ask of it when they decide.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::event::UserEvent;
use crate::{
    ids::{GroupId, Position, UserId},
    permission::{Overrides, Role},
};

/// A user.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// Its id on the wire; 0 before it is created.
    pub id: UserId,
    /// Its role; `None` before it is created.
    pub role: Option<Role>,
    /// Its groups.
    pub groups: BTreeSet<GroupId>,
    /// Its own permissions.
    pub overrides: Overrides,
    /// Whether it was ever activated.
    pub activated: bool,
    /// Whether its access ended.
    pub deactivated: bool,
    /// Whether it takes chats.
    pub is_available: bool,
}

impl User {
    /// Whether it may act, be assigned and be called.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.role.is_some() && self.activated && !self.deactivated
    }

    pub(super) fn after(&mut self, event: &UserEvent, position: Position) {
        match event {
            UserEvent::UserCreated(e) => {
                *self = Self {
                    id: UserId(position.0),
                    role: Some(e.role),
                    groups: e.groups.clone(),
                    is_available: true,
                    ..Self::default()
                };
            }
            UserEvent::UserActivated(_) => self.activated = true,
            UserEvent::UserPermissionsChanged(e) => self.overrides = e.overrides,
            UserEvent::UserGroupsChanged(e) => {
                self.role = Some(e.role);
                self.groups.clone_from(&e.groups);
            }
            UserEvent::AvailabilityChanged(e) => self.is_available = e.is_available,
            UserEvent::UserDeactivated(_) => self.deactivated = true,
            UserEvent::PasswordChanged(_) | UserEvent::TokenIssued(_) => {}
        }
    }
}
