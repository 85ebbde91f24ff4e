//! Given / when / then for contacts.

use cqrs_es::test::TestFramework;

use super::*;
use crate::{decider::EventSourced, raw_json::RawJson};

type Given = TestFramework<EventSourced<Contact>>;

fn seen(name: Option<&str>) -> ContactEvent {
    ContactProfileSeen { name: name.map(Into::into), profile: profile(name) }.into()
}

fn profile(name: Option<&str>) -> RawJson {
    RawJson::from(&serde_json::json!({"profile": {"name": name}, "wa_id": "351912000111"}))
}

fn see(name: Option<&str>) -> ContactCommand {
    ContactCommand::SeeProfile { name: name.map(Into::into), profile: profile(name) }
}

#[test]
fn r_in_9_a_first_message_creates_the_contact_even_without_a_name() {
    Given::with(()).given_no_previous_events().when(see(None)).then_expect_events(vec![seen(None)]);
}

#[test]
fn r_in_8_a_new_name_is_recorded() {
    Given::with(())
        .given(vec![seen(Some("Rui"))])
        .when(see(Some("Rui Costa")))
        .then_expect_events(vec![seen(Some("Rui Costa"))]);
}

#[test]
fn r_in_8_a_missing_or_empty_name_never_erases_one() {
    for name in [None, Some(""), Some("  "), Some("Rui")] {
        Given::with(()).given(vec![seen(Some("Rui"))]).when(see(name)).then_expect_events(vec![]);
    }
}
