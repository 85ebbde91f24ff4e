//! Given / when / then for users.

use std::collections::BTreeSet;

use cqrs_es::test::TestFramework;

use super::*;
use crate::{
    decider::{Claim, Decider, Event, EventSourced},
    ids::{GroupId, Position, UserId},
    permission::Role,
};

type Given = TestFramework<EventSourced<User>>;

fn created() -> UserEvent {
    UserCreated {
        username: "Ines".into(),
        first_name: String::new(),
        last_name: String::new(),
        email: String::new(),
        role: Role::User,
        groups: BTreeSet::from([GroupId(2)]),
        done_by: None,
    }
    .into()
}

#[test]
fn r_usr_3_a_user_is_active_only_after_activation() {
    let mut user = User::default();
    user.evolve(&created(), Position(7));
    assert_eq!((user.id, user.is_active()), (UserId(7), false));
    user.evolve(&UserActivated {}.into(), Position(8));
    assert!(user.is_active());
}

#[test]
fn a_second_activation_is_a_repeat() {
    Given::with(())
        .given(vec![created(), UserActivated {}.into()])
        .when(UserCommand::Activate)
        .then_expect_events(vec![]);
}

#[test]
fn a_deactivated_user_is_not_active() {
    Given::with(())
        .given(vec![created(), UserActivated {}.into()])
        .when(UserCommand::Deactivate { done_by: Some(UserId(1)) })
        .then_expect_events(vec![UserDeactivated { done_by: Some(UserId(1)) }.into()]);
}

#[test]
fn an_unknown_user_cannot_be_activated() {
    Given::with(()).given_no_previous_events().when(UserCommand::Activate).then_expect_error(UserRefusal::Unknown);
}

#[test]
fn usernames_are_claimed_without_regard_to_case() {
    assert_eq!(created().claims(), vec![Claim::Take("username:ines".into())]);
}
