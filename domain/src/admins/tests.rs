//! Given / when / then for the admins.

use cqrs_es::test::TestFramework;

use super::*;
use crate::{decider::EventSourced, ids::UserId};

type Given = TestFramework<EventSourced<Admins>>;

const ANA: UserId = UserId(5);
const RUI: UserId = UserId(9);

fn joined(user: UserId) -> AdminsEvent {
    AdminJoined { user }.into()
}

#[test]
fn r_usr_7_the_last_admin_cannot_leave() {
    Given::with(())
        .given(vec![joined(ANA), joined(RUI), AdminLeft { user: ANA }.into()])
        .when(AdminsCommand::Leave { user: RUI })
        .then_expect_error(AdminsRefusal::Last);
}

#[test]
fn r_usr_7_another_admin_may_leave() {
    Given::with(())
        .given(vec![joined(ANA), joined(RUI)])
        .when(AdminsCommand::Leave { user: RUI })
        .then_expect_events(vec![AdminLeft { user: RUI }.into()]);
}

#[test]
fn joining_and_leaving_twice_are_repeats() {
    Given::with(()).given(vec![joined(ANA)]).when(AdminsCommand::Join { user: ANA }).then_expect_events(vec![]);
    Given::with(()).given(vec![joined(ANA)]).when(AdminsCommand::Leave { user: RUI }).then_expect_events(vec![]);
}
