//! The rules of users.

use super::{
    AvailabilityChanged, Details, PasswordChanged, RefreshTokenIssued, TokenIssued, User, UserActivated, UserCommand,
    UserCreated, UserDeactivated, UserDetailsChanged, UserEvent, UserGroupsChanged, UserPermissionsChanged,
    UserRefusal,
};
use crate::{decider::Decider, ids::Position};

impl Decider for User {
    const TYPE: &'static str = "User";
    type Command = UserCommand;
    type Event = UserEvent;
    type Refusal = UserRefusal;

    fn decide(&self, command: UserCommand) -> Result<Vec<UserEvent>, UserRefusal> {
        let unless = |repeat: bool, event: UserEvent| Ok(if repeat { Vec::new() } else { vec![event] });
        match command {
            UserCommand::Create { username, first_name, last_name, email, role, groups, done_by } => unless(
                self.role.is_some(),
                UserCreated { username, first_name, last_name, email, role, groups, done_by }.into(),
            ),
            _ if self.role.is_none() => Err(UserRefusal::Unknown),
            UserCommand::Deactivate { done_by } => unless(self.is_deactivated(), UserDeactivated { done_by }.into()),
            _ if self.is_deactivated() => Err(UserRefusal::Unknown),
            UserCommand::Activate => unless(self.activated, UserActivated {}.into()),
            UserCommand::RecordPassword { done_by } => Ok(vec![PasswordChanged { done_by }.into()]),
            UserCommand::RecordToken => Ok(vec![TokenIssued {}.into()]),
            UserCommand::RecordRefreshToken { expires_at } => Ok(vec![RefreshTokenIssued { expires_at }.into()]),
            UserCommand::ChangePermissions { overrides, done_by } => {
                unless(overrides == self.overrides, UserPermissionsChanged { overrides, done_by }.into())
            }
            UserCommand::ChangeGroups { role, groups, done_by } => unless(
                Some(role) == self.role && groups == self.groups,
                UserGroupsChanged { role, groups, done_by }.into(),
            ),
            UserCommand::ChangeAvailability { is_available, done_by } => {
                unless(is_available == self.is_available, AvailabilityChanged { is_available, done_by }.into())
            }
            UserCommand::ChangeDetails { username, first_name, last_name, email, done_by } => {
                let details = Details { username, first_name, last_name, email };
                let previous_username = self.details.username.clone();
                let Details { username, first_name, last_name, email } = details.clone();
                let changed = UserDetailsChanged { username, previous_username, first_name, last_name, email, done_by };
                unless(details == self.details, changed.into())
            }
        }
    }

    fn evolve(&mut self, event: &UserEvent, position: Position) {
        self.after(event, position);
    }
}
