//! Given / when / then for bulk messages.

use std::collections::BTreeMap;

use cqrs_es::test::TestFramework;
use uuid::Uuid;

use super::*;
use crate::{decider::EventSourced, ids::UserId, raw_json::RawJson, wa_id::WaId};

type Given = TestFramework<EventSourced<BulkMessage>>;

fn wa_id(text: &str) -> WaId {
    WaId::parse(text).unwrap()
}

fn raw(text: &str) -> RawJson {
    RawJson::parse(text.to_owned()).unwrap()
}

fn created() -> BulkMessageCreated {
    BulkMessageCreated {
        id: Uuid::from_u128(5),
        sender: UserId(7),
        recipients: vec![wa_id("351912000111"), wa_id("351912000222")],
        named: 2,
        tags: Vec::new(),
        kind: "text".into(),
        content: raw(r#"{"body":"Hi"}"#),
        payload: raw(r#"{"type":"text","text":{"body":"Hi"}}"#),
        fills: Fills::new(),
        timestamp: 5,
    }
}

fn settle(to: &str, outcome: ElementOutcome) -> BulkMessageCommand {
    BulkMessageCommand::Settle { wa_id: wa_id(to), outcome, now: 9 }
}

fn settled(to: &str, outcome: ElementOutcome) -> BulkMessageEvent {
    BulkElementSettled { task: Uuid::from_u128(5), wa_id: wa_id(to), outcome, timestamp: 9 }.into()
}

#[test]
fn each_recipient_is_settled_once() {
    let (rui, first) = ("351912000111", ElementOutcome::WindowClosed);
    Given::with(())
        .given(vec![created().into()])
        .when(settle(rui, first.clone()))
        .then_expect_events(vec![settled(rui, first.clone())]);
    Given::with(())
        .given(vec![created().into(), settled(rui, first)])
        .when(settle(rui, ElementOutcome::NotAllowed))
        .then_expect_events(vec![]);
}

#[test]
fn only_recipients_are_settled() {
    let stranger = || settle("351999999999", ElementOutcome::NotAllowed);
    Given::with(()).given(vec![created().into()]).when(stranger()).then_expect_error(BulkMessageRefusal::Unknown);
    Given::with(()).given_no_previous_events().when(stranger()).then_expect_error(BulkMessageRefusal::Unknown);
}

#[test]
fn values_are_filled_in_once_and_quoted() {
    let values: BTreeMap<String, String> =
        [("1", "Rui \"R\" {{2}}"), ("2", "no"), ("order id", "7\n")].map(|(k, v)| (k.into(), v.into())).into();
    let content = raw(r#"{"b":{},"body":"Hi {{1}}, {{ order id }} {{3}} {{","a":{"x":{"y":1}}}"#);
    let expected = r#"{"b":{},"body":"Hi Rui \"R\" {{2}}, 7\n {{3}} {{","a":{"x":{"y":1}}}"#;
    assert_eq!(fill(&content, &values).text(), expected);
}

#[test]
fn a_forgotten_recipient_gets_nothing_more_and_its_values_are_gone() {
    let (rui, ana) = (wa_id("351912000111"), wa_id("351912000222"));
    let mut created = created();
    for recipient in [&rui, &ana] {
        created.fills.insert(recipient.to_string(), [("1".to_owned(), recipient.to_string())].into());
    }
    let erased = BulkRecipientErased { task: created.id, wa_id: rui.clone(), timestamp: 9 };
    let erase = || BulkMessageCommand::Erase { wa_id: rui.clone(), now: 9 };
    let not_sent = settled(rui.as_str(), ElementOutcome::NotAllowed);
    Given::with(())
        .given(vec![created.clone().into()])
        .when(erase())
        .then_expect_events(vec![not_sent.clone(), erased.clone().into()]);
    Given::with(())
        .given(vec![created.clone().into(), not_sent.clone(), erased.clone().into()])
        .when(erase())
        .then_expect_events(vec![]);

    let mut state = BulkMessage::default();
    for event in [created.clone().into(), not_sent, erased.into()] {
        state.after(&event);
    }
    let left = state.created.unwrap();
    assert_eq!(left.fills.keys().collect::<Vec<_>>(), [ana.as_str()]);
    assert_eq!(left.payload, created.payload, "what was written for many is not one recipient's");
}

#[test]
fn a_message_to_one_who_is_forgotten_says_nothing_any_more() {
    let rui = wa_id("351912000111");
    let created = BulkMessageCreated { recipients: vec![rui.clone()], named: 1, ..created() };
    let left = created.without(&rui);
    assert_eq!((left.content.text(), left.payload.text()), ("{}", r#"{"type":"text"}"#));
}
