//! Given / when / then for groups.

use cqrs_es::test::TestFramework;

use super::*;
use crate::{
    decider::EventSourced,
    permission::{Permissions, Role},
};

type Given = TestFramework<EventSourced<Group>>;

fn created(role: Role) -> GroupEvent {
    GroupCreated {
        name: role.group_name().into(),
        built_in: Some(role),
        permissions: role.default_permissions(),
        done_by: None,
    }
    .into()
}

#[test]
fn r_perm_2_the_admin_group_cannot_be_lowered() {
    Given::with(())
        .given(vec![created(Role::Admin)])
        .when(GroupCommand::ChangePermissions { permissions: Permissions::default(), done_by: None })
        .then_expect_error(GroupRefusal::AdminsUnrestricted);
}

#[test]
fn r_perm_4_a_group_s_permissions_can_be_set_once() {
    let permissions = Permissions::default();
    let changed: GroupEvent = GroupPermissionsChanged { permissions, done_by: None }.into();
    Given::with(())
        .given(vec![created(Role::User)])
        .when(GroupCommand::ChangePermissions { permissions, done_by: None })
        .then_expect_events(vec![changed.clone()]);
    Given::with(())
        .given(vec![created(Role::User), changed])
        .when(GroupCommand::ChangePermissions { permissions, done_by: None })
        .then_expect_events(vec![]);
}
