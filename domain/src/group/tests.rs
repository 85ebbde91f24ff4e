//! Given / when / then for groups.

use cqrs_es::test::TestFramework;

use super::*;
use crate::{
    decider::{Claim, Event, EventSourced},
    ids::{Position, UserId},
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

#[test]
fn r_rul_3_members_take_turns() {
    let mut group = Group::default();
    let members = [UserId(3), UserId(5), UserId(9)];
    let mut turns = Vec::new();
    for trigger in 1..=4 {
        let user = group.next_of(&members).unwrap();
        crate::decider::Decider::evolve(&mut group, &GroupMemberPicked { user, trigger }.into(), Position(trigger));
        turns.push(user.0);
    }
    assert_eq!(turns, [3, 5, 9, 3]);
    // Who is away is passed over; a turn of somebody who has left is followed by the next all the same.
    assert_eq!(group.next_of(&[UserId(9)]), Some(UserId(9)));
    assert_eq!(group.next_of(&[UserId(1), UserId(2)]), Some(UserId(1)));
    assert_eq!(group.next_of(&[]), None);
}

fn billing() -> GroupEvent {
    GroupCreated { name: "Billing".into(), built_in: None, permissions: Permissions::default(), done_by: None }.into()
}

#[test]
fn r_perm_1_built_in_groups_keep_their_names_and_stay() {
    let rename = GroupCommand::Rename { name: "Boss".into(), done_by: None };
    for command in [rename, GroupCommand::Delete { done_by: None }] {
        Given::with(()).given(vec![created(Role::User)]).when(command).then_expect_error(GroupRefusal::BuiltIn);
    }
}

#[test]
fn a_group_is_renamed_and_deleted_with_its_name_given_back() {
    let renamed: GroupEvent =
        GroupRenamed { name: "Money".into(), previous_name: "Billing".into(), done_by: None }.into();
    let deleted: GroupEvent = GroupDeleted { name: "Billing".into(), done_by: None }.into();
    let group = || Given::with(()).given(vec![billing()]);
    let rename = |name: &str| GroupCommand::Rename { name: name.into(), done_by: None };
    group().when(rename("Money")).then_expect_events(vec![renamed.clone()]);
    group().when(rename("Billing")).then_expect_events(vec![]);
    group().when(GroupCommand::Delete { done_by: None }).then_expect_events(vec![deleted.clone()]);
    Given::with(()).given(vec![billing(), deleted.clone()]).when(rename("X")).then_expect_error(GroupRefusal::Unknown);
    assert_eq!(renamed.claims(), [Claim::Release("group:billing".into()), Claim::Take("group:money".into())]);
    assert_eq!(deleted.claims(), [Claim::Release("group:billing".into())]);
}
