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
fn r_usr_8_a_deactivated_user_changes_no_more() {
    let ended = vec![created(), UserActivated {}.into(), UserDeactivated { done_by: Some(UserId(1)) }.into()];
    Given::with(())
        .given(ended.clone())
        .when(UserCommand::Deactivate { done_by: Some(UserId(2)) })
        .then_expect_events(vec![]);
    for command in [UserCommand::Activate, UserCommand::RecordPassword { done_by: None }, details("ines")] {
        Given::with(()).given(ended.clone()).when(command).then_expect_error(UserRefusal::Unknown);
    }
}

fn details(username: &str) -> UserCommand {
    let [first_name, last_name, email] = ["", "", ""].map(str::to_owned);
    UserCommand::ChangeDetails { username: username.to_owned(), first_name, last_name, email, done_by: None }
}

#[test]
fn a_new_username_gives_the_old_one_back() {
    let user = || Given::with(()).given(vec![created()]);
    user().when(details("Ines")).then_expect_events(vec![]);
    let event = |username: &str| UserDetailsChanged {
        username: username.into(),
        previous_username: "Ines".into(),
        first_name: String::new(),
        last_name: String::new(),
        email: String::new(),
        done_by: None,
    };
    user().when(details("INES")).then_expect_events(vec![event("INES").into()]);
    assert_eq!(UserEvent::from(event("INES")).claims(), []);
    let claims = [Claim::Release("username:ines".into()), Claim::Take("username:rui".into())];
    assert_eq!(UserEvent::from(event("Rui")).claims(), claims);
}

#[test]
fn an_unknown_user_cannot_be_activated() {
    Given::with(()).given_no_previous_events().when(UserCommand::Activate).then_expect_error(UserRefusal::Unknown);
}

#[test]
fn usernames_are_claimed_without_regard_to_case() {
    assert_eq!(created().claims(), vec![Claim::Take("username:ines".into())]);
}
