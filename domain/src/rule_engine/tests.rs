//! Given / when / then for rule engines.

use cqrs_es::test::TestFramework;

use super::*;
use crate::{
    decider::EventSourced,
    ids::{GroupId, RuleId, TagId, UserId},
};

type Given = TestFramework<EventSourced<RuleEngine>>;

const ADMIN: UserId = UserId(1);

fn added(place: i64) -> RuleAdded {
    RuleAdded { tagged_with: None, target: Target::User(UserId(42)), place, done_by: ADMIN }
}

fn change(rule: i64, target: Target) -> RuleEngineCommand {
    RuleEngineCommand::ChangeRule { rule: RuleId(rule), tagged_with: None, target, place: None, done_by: ADMIN }
}

#[test]
fn a_rule_without_a_place_is_the_last() {
    let add =
        RuleEngineCommand::AddRule { tagged_with: None, target: Target::User(UserId(42)), place: None, done_by: ADMIN };
    Given::with(()).given_no_previous_events().when(add.clone()).then_expect_events(vec![added(1).into()]);
    Given::with(()).given(vec![added(7).into()]).when(add).then_expect_events(vec![added(8).into()]);
}

#[test]
fn a_change_carries_everything_and_a_repeat_is_none() {
    let group = Target::Group { id: GroupId(23), method: AssignMethod::RoundRobin };
    let expected = RuleChanged { rule: RuleId(1), tagged_with: None, target: group, place: 7, done_by: ADMIN };
    let given = || Given::with(()).given(vec![added(7).into()]);
    given().when(change(1, group)).then_expect_events(vec![expected.into()]);
    given().when(change(1, Target::User(UserId(42)))).then_expect_events(vec![]);
    given().when(change(2, group)).then_expect_error(RuleEngineRefusal::UnknownRule);
}

#[test]
fn a_deleted_rule_is_unknown() {
    let deleted = RuleDeleted { rule: RuleId(1), done_by: ADMIN };
    let delete = RuleEngineCommand::DeleteRule { rule: RuleId(1), done_by: ADMIN };
    Given::with(()).given(vec![added(1).into()]).when(delete.clone()).then_expect_events(vec![deleted.clone().into()]);
    Given::with(())
        .given(vec![added(1).into(), deleted.into()])
        .when(delete)
        .then_expect_error(RuleEngineRefusal::UnknownRule);
}

#[test]
fn a_rule_goes_on_naming_what_it_was_given() {
    let mut engine = RuleEngine::default();
    let of_tag = RuleAdded { tagged_with: Some(TagId(5)), ..added(1) };
    crate::decider::Decider::evolve(&mut engine, &of_tag.into(), crate::ids::Position(9));
    assert_eq!(engine.rules[&RuleId(9)].tagged_with, Some(TagId(5)));
}

#[test]
fn r_rul_12_rules_are_tried_by_place_then_id() {
    let mut engine = RuleEngine::default();
    let of_tag = RuleAdded { tagged_with: Some(TagId(5)), ..added(1) };
    for (at, event) in [(9, added(7)), (10, added(1)), (11, of_tag), (12, added(1))] {
        crate::decider::Decider::evolve(&mut engine, &event.into(), crate::ids::Position(at));
    }
    let ids = |tag| engine.matching(tag).into_iter().map(|(id, _)| id.0).collect::<Vec<_>>();
    assert_eq!(ids(None), [10, 12, 9]);
    assert_eq!(ids(Some(TagId(5))), [11]);
    assert!(ids(Some(TagId(6))).is_empty());
}
