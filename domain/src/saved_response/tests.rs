//! Given / when / then for saved responses.

use cqrs_es::test::TestFramework;

use super::*;
use crate::{decider::EventSourced, ids::UserId};

type Given = TestFramework<EventSourced<SavedResponse>>;

fn created() -> SavedResponseEvent {
    SavedResponseCreated { text: "Thanks.".into(), done_by: UserId(1), timestamp: 5 }.into()
}

#[test]
fn a_response_is_saved_once() {
    let create = || SavedResponseCommand::Create { text: "Thanks.".into(), done_by: UserId(1), now: 5 };
    Given::with(()).given_no_previous_events().when(create()).then_expect_events(vec![created()]);
    Given::with(()).given(vec![created()]).when(create()).then_expect_events(vec![]);
}

#[test]
fn r_sav_1_any_user_deletes_it_and_then_it_is_unknown() {
    let delete = || SavedResponseCommand::Delete { done_by: UserId(2) };
    let deleted = || SavedResponseEvent::from(SavedResponseDeleted { done_by: UserId(2) });
    Given::with(()).given(vec![created()]).when(delete()).then_expect_events(vec![deleted()]);
    Given::with(()).given(vec![created(), deleted()]).when(delete()).then_expect_error(SavedResponseRefusal::Unknown);
}
