//! Given / when / then for tags.

use cqrs_es::test::TestFramework;

use super::*;
use crate::{
    decider::{Claim, Event, EventSourced},
    ids::UserId,
};

type Given = TestFramework<EventSourced<Tag>>;

fn created(name: &str) -> TagEvent {
    TagCreated { name: name.into(), web_inbox_color: None, done_by: UserId(1) }.into()
}

#[test]
fn a_tag_is_created() {
    Given::with(())
        .given_no_previous_events()
        .when(TagCommand::Create { name: "VIP".into(), web_inbox_color: None, done_by: UserId(1) })
        .then_expect_events(vec![created("VIP")]);
}

#[test]
fn a_change_to_the_same_values_is_a_repeat() {
    Given::with(())
        .given(vec![created("VIP")])
        .when(TagCommand::Change { name: Some("VIP".into()), web_inbox_color: None, done_by: UserId(1) })
        .then_expect_events(vec![]);
}

#[test]
fn a_deleted_tag_is_unknown() {
    Given::with(())
        .given(vec![created("VIP"), TagDeleted { name: "VIP".into(), done_by: UserId(1) }.into()])
        .when(TagCommand::Delete { done_by: UserId(1) })
        .then_expect_error(TagRefusal::Unknown);
}

#[test]
fn r_tag_9_names_are_claimed_without_regard_to_case() {
    assert_eq!(created("ViP").claims(), vec![Claim::Take("tag:vip".into())]);
    let renamed = |to: &str| {
        TagEvent::from(TagChanged {
            name: to.into(),
            previous_name: "VIP".into(),
            web_inbox_color: None,
            done_by: UserId(1),
        })
    };
    assert_eq!(renamed("vip").claims(), vec![]);
    assert_eq!(renamed("Gold").claims(), vec![Claim::Release("tag:vip".into()), Claim::Take("tag:gold".into())]);
}
