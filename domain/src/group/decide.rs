//! The rules of groups.

use super::{
    Group, GroupCommand, GroupCreated, GroupDeleted, GroupEvent, GroupMemberPicked, GroupPermissionsChanged,
    GroupRefusal, GroupRenamed,
};
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
            _ if !self.exists => Err(GroupRefusal::Unknown),
            GroupCommand::Rename { .. } | GroupCommand::Delete { .. } if self.built_in.is_some() => {
                Err(GroupRefusal::BuiltIn)
            }
            GroupCommand::Rename { name, .. } if name == self.name => Ok(Vec::new()),
            GroupCommand::Rename { name, done_by } => {
                Ok(vec![GroupRenamed { name, previous_name: self.name.clone(), done_by }.into()])
            }
            GroupCommand::Delete { done_by } => Ok(vec![GroupDeleted { name: self.name.clone(), done_by }.into()]),
            GroupCommand::Pick { user, trigger } => Ok(vec![GroupMemberPicked { user, trigger: trigger.0 }.into()]),
            GroupCommand::ChangePermissions { permissions, .. } if permissions == self.permissions => Ok(Vec::new()),
            GroupCommand::ChangePermissions { .. } if self.built_in == Some(Role::Admin) => {
                Err(GroupRefusal::AdminsUnrestricted)
            }
            GroupCommand::ChangePermissions { permissions, done_by } => {
                Ok(vec![GroupPermissionsChanged { permissions, done_by }.into()])
            }
        }
    }

    fn evolve(&mut self, event: &GroupEvent, position: Position) {
        self.after(event, position);
    }
}
