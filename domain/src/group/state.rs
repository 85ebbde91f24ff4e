//! What a group's decisions need, and what others ask of it when they decide.

use serde::{Deserialize, Serialize};

use super::event::GroupEvent;
use crate::{
    ids::{GroupId, Position},
    permission::{Permissions, Role},
};

/// A group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Its id on the wire; 0 before it is created.
    pub id: GroupId,
    /// Whether it exists.
    pub exists: bool,
    /// The role it gives, for the three built-in groups.
    pub built_in: Option<Role>,
    /// What its members may do.
    pub permissions: Permissions,
}

impl Group {
    pub(super) fn after(&mut self, event: &GroupEvent, position: Position) {
        match event {
            GroupEvent::GroupCreated(e) => {
                *self =
                    Self { id: GroupId(position.0), exists: true, built_in: e.built_in, permissions: e.permissions };
            }
            GroupEvent::GroupPermissionsChanged(e) => self.permissions = e.permissions,
        }
    }
}
