//! What a group's decisions need, and what others ask of it when they decide.

use serde::{Deserialize, Serialize};

use super::event::GroupEvent;
use crate::{
    ids::{GroupId, Position, UserId},
    permission::{Permissions, Role},
};

/// A group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Its id on the wire; 0 before it is created.
    pub id: GroupId,
    /// Its name.
    pub name: String,
    /// Whether it exists.
    pub exists: bool,
    /// Who deleted it; `None` for the system, or while it exists.
    pub deleted_by: Option<UserId>,
    /// The role it gives, for the three built-in groups.
    pub built_in: Option<Role>,
    /// What its members may do.
    pub permissions: Permissions,
    /// Whose turn was the last (R-RUL-3).
    pub last_pick: Option<UserId>,
}

impl Group {
    pub(super) fn after(&mut self, event: &GroupEvent, position: Position) {
        match event {
            GroupEvent::GroupCreated(e) => {
                *self = Self {
                    id: GroupId(position.0),
                    name: e.name.clone(),
                    exists: true,
                    deleted_by: None,
                    built_in: e.built_in,
                    permissions: e.permissions,
                    last_pick: None,
                };
            }
            GroupEvent::GroupRenamed(e) => self.name.clone_from(&e.name),
            GroupEvent::GroupDeleted(e) => {
                self.exists = false;
                self.deleted_by = e.done_by;
            }
            GroupEvent::GroupPermissionsChanged(e) => self.permissions = e.permissions,
            GroupEvent::GroupMemberPicked(e) => self.last_pick = Some(e.user),
        }
    }

    /// Whose turn it is among those who take chats, given by id: the one after the last, and after the highest the
    /// lowest again (R-RUL-3).
    #[must_use]
    pub fn next_of(&self, candidates: &[UserId]) -> Option<UserId> {
        let after = candidates.iter().find(|user| Some(**user) > self.last_pick);
        after.or(candidates.first()).copied()
    }
}
