//! Given / when / then for contacts.

use cqrs_es::test::TestFramework;

use super::*;
use crate::{decider::EventSourced, ids::UserId, raw_json::RawJson};

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

fn upserted(name: Option<&str>, phones: &[&str], done_by: Option<UserId>) -> ContactEvent {
    let phone = |number: &&str| PhoneNumber { phone_number: (*number).to_owned(), description: "mobile".into() };
    ContactUpserted {
        name: name.map(Into::into),
        phone_numbers: phones.iter().map(phone).collect(),
        email_addresses: Vec::new(),
        done_by,
    }
    .into()
}

fn upsert(name: Option<&str>, phones: Option<&[&str]>) -> ContactCommand {
    let phone = |number: &&str| PhoneNumber { phone_number: (*number).to_owned(), description: "mobile".into() };
    ContactCommand::Upsert {
        name: name.map(Into::into),
        phone_numbers: phones.map(|phones| phones.iter().map(phone).collect()),
        email_addresses: None,
        done_by: None,
    }
}

#[test]
fn what_is_not_given_stays_saved() {
    Given::with(())
        .given(vec![upserted(Some("Rui"), &["1"], Some(UserId(7)))])
        .when(upsert(None, Some(&["2"])))
        .then_expect_events(vec![upserted(Some("Rui"), &["2"], None)]);
}

#[test]
fn the_same_again_is_a_repeat() {
    Given::with(())
        .given(vec![upserted(Some("Rui"), &["1"], Some(UserId(7)))])
        .when(upsert(Some(" Rui "), Some(&["1"])))
        .then_expect_events(vec![]);
}

#[test]
fn a_contact_saved_without_a_name_keeps_the_one_that_whatsapp_shows() {
    Given::with(()).given(vec![seen(Some("Rui"))]).when(upsert(None, None)).then_expect_events(vec![upserted(
        Some("Rui"),
        &[],
        None,
    )]);
}

#[test]
fn r_in_9_a_saved_contact_that_writes_for_the_first_time_is_seen() {
    Given::with(()).given(vec![upserted(Some("Rui"), &[], None)]).when(see(None)).then_expect_events(vec![seen(None)]);
}

fn erased(events: u64) -> ContactEvent {
    ContactErased { done_by: Some(UserId(7)), timestamp: 9, events }.into()
}

fn erase(events: u64, is_news: bool) -> ContactCommand {
    ContactCommand::Erase { events, is_news, done_by: Some(UserId(7)), now: 9 }
}

#[test]
fn a_contact_is_forgotten_once_until_there_is_something_new() {
    Given::with(()).given(vec![seen(Some("Rui"))]).when(erase(1, true)).then_expect_events(vec![erased(1)]);
    Given::with(()).given_no_previous_events().when(erase(0, false)).then_expect_events(vec![erased(0)]);
    Given::with(()).given(vec![erased(1)]).when(erase(0, false)).then_expect_events(vec![]);
    Given::with(()).given(vec![erased(1)]).when(erase(2, true)).then_expect_events(vec![erased(2)]);
}

#[test]
fn a_forgotten_contact_that_comes_again_is_new() {
    let before = || vec![seen(Some("Rui")), upserted(Some("Rui"), &["1"], None), erased(2)];
    Given::with(()).given(before()).when(see(Some("Rui"))).then_expect_events(vec![seen(Some("Rui"))]);
    Given::with(()).given(before()).when(upsert(None, None)).then_expect_events(vec![upserted(None, &[], None)]);
}

fn opt_in(status: OptIn, source: &str, keyword: Option<&str>, timestamp: i64) -> ContactEvent {
    OptInChanged { status, source: source.into(), done_by: None, timestamp, keyword: keyword.map(Into::into) }.into()
}

fn set_opt_in(status: OptIn, source: &str, keyword: Option<&str>, timestamp: i64) -> ContactCommand {
    let (source, keyword) = (source.into(), keyword.map(Into::into));
    ContactCommand::SetOptIn { status, source, done_by: None, keyword, timestamp }
}

#[test]
fn r_cus_4_each_change_of_status_or_source_is_an_event() {
    let before = || vec![opt_in(OptIn::OptedIn, "web", None, 5)];
    for (status, source) in [(OptIn::OptedOut, "web"), (OptIn::OptedIn, "import")] {
        Given::with(())
            .given(before())
            .when(set_opt_in(status, source, None, 9))
            .then_expect_events(vec![opt_in(status, source, None, 9)]);
    }
    Given::with(())
        .given_no_previous_events()
        .when(set_opt_in(OptIn::OptedIn, "web", None, 5))
        .then_expect_events(before());
    Given::with(()).given(before()).when(set_opt_in(OptIn::OptedIn, "web", None, 9)).then_expect_events(vec![]);
}

#[test]
fn r_cus_6_a_word_that_comes_late_does_not_undo_a_newer_one() {
    let before = || {
        vec![opt_in(OptIn::OptedOut, "whatsapp", Some("STOP"), 5), opt_in(OptIn::OptedIn, "whatsapp", Some("START"), 9)]
    };
    let stop = |timestamp| set_opt_in(OptIn::OptedOut, "whatsapp", Some("STOP"), timestamp);
    Given::with(()).given(before()).when(stop(7)).then_expect_events(vec![]);
    Given::with(()).given(before()).when(stop(9)).then_expect_events(vec![opt_in(
        OptIn::OptedOut,
        "whatsapp",
        Some("STOP"),
        9,
    )]);
    // What somebody else recorded meanwhile does not outweigh the customer's own word.
    let imported = vec![opt_in(OptIn::OptedIn, "import", None, 9)];
    Given::with(()).given(imported).when(stop(7)).then_expect_events(vec![opt_in(
        OptIn::OptedOut,
        "whatsapp",
        Some("STOP"),
        7,
    )]);
}

#[test]
fn that_a_customer_wants_no_messages_outlives_its_being_forgotten() {
    let told = |status| opt_in(status, "on the phone with Rui", Some("STOP"), 5);
    for (status, left) in [(OptIn::OptedOut, Some(5)), (OptIn::OptedIn, None)] {
        for told in [told(status), told(status).redacted()] {
            let mut contact = Contact::default();
            [told, erased(1)].iter().for_each(|event| contact.after(event));
            assert_eq!(contact.consent.as_ref().map(|consent| consent.timestamp), left);
            assert!(contact.consent.is_none_or(|consent| consent.source.is_empty()));
            assert_eq!((contact.last_keyword, contact.erased), (None, true));
        }
    }
}
