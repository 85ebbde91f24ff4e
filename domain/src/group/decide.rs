//! The rules of groups.

use super::{Group, GroupCommand, GroupCreated, GroupEvent, GroupPermissionsChanged, GroupRefusal};
use crate::{decider::Decider, ids::Position, permission::Role};

impl Decider for Group {
    const TYPE: &'static str = "Group";
    type Command = GroupCommand;
    type Event = GroupEvent;
    type Refusal = GroupRefusal;

    fn decide(&self, command: GroupCommand) -> Result<Vec<GroupEvent>, GroupRefusal> {
        match command {
            GroupCommand::Create { .. } if self.exists => Ok(Vec::new()),
            GroupCommand::Create { name, built_in, permissions, done_by } => {
                Ok(vec![GroupCreated { name, built_in, permissions, done_by }.into()])
            }
            GroupCommand::ChangePermissions { .. } if !self.exists => Err(GroupRefusal::Unknown),
            GroupCommand::ChangePermissions { .. } if self.built_in == Some(Role::Admin) => {
                Err(GroupRefusal::AdminsUnrestricted)
            }
            GroupCommand::ChangePermissions { permissions, .. } if permissions == self.permissions => Ok(Vec::new()),
            GroupCommand::ChangePermissions { permissions, done_by } => {
                Ok(vec![GroupPermissionsChanged { permissions, done_by }.into()])
            }
        }
    }

    fn evolve(&mut self, event: &GroupEvent, position: Position) {
        self.after(event, position);
    }
}
