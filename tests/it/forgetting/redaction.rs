//! What is left of each event, over every example of every event that was ever stored.

use chatledger_domain::{AnyEvent, WaId};
use serde_json::{Value, json};

use crate::event_fixtures::{Fixture, fixtures};

/// The values that may stay in an event of a forgotten customer, by the name of their key: ids, types, times, and who did
/// what. A new field of such an event is personal until it is named here.
const STAYS: &[&str] = &[
    "opened_by",
    "message_id",
    "waba_id",
    "timestamp",
    "received_at",
    "type",
    "context",
    "referral",
    "reopens",
    "sender",
    "outside_window",
    "status",
    "tag",
    "done_by",
    "tagging_id",
    "user_set",
    "user_cleared",
    "group_set",
    "group_cleared",
    "based_on",
    "trigger",
    "user",
    "to",
    "events",
    "mime_type",
    "size",
    "blob",
    "origin",
];

fn event_of(fixture: &Fixture) -> AnyEvent {
    AnyEvent::read(&fixture.aggregate, &fixture.name, &fixture.version, fixture.payload.trim()).unwrap()
}

/// What says nothing: where a shape wants a value and there is none.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        // A bare code of WhatsApp's says what failed, not of whom.
        Value::Array(items) => items.iter().all(|item| *item == json!({ "code": item["code"].as_i64() })),
        Value::Object(members) => members.keys().all(|key| key == "type"),
        _ => false,
    }
}

#[test]
fn of_a_customers_own_events_only_ids_types_and_times_are_left() {
    let wa_id = WaId::parse("351912000111").unwrap();
    let own = |fixture: &Fixture| matches!(&*fixture.aggregate, "Chat" | "Contact" | "Media");
    for fixture in fixtures().into_iter().filter(own) {
        let event = event_of(&fixture);
        let left = event.redacted(&wa_id).unwrap_or(event);
        let Value::Object(members) = serde_json::from_str(&left.payload().unwrap()).unwrap() else { panic!() };
        for (key, value) in members {
            let stays = STAYS.contains(&key.as_str()) || is_nothing(&value);
            assert!(stays, "{}: {key} is {value}", fixture.path.display());
        }
    }
}

#[test]
fn what_is_left_loads_as_the_same_event_and_is_left_alone_the_next_time() {
    let wa_id = WaId::parse("351912000111").unwrap();
    let mut blanked = 0;
    for fixture in fixtures() {
        let event = event_of(&fixture);
        let Some(left) = event.redacted(&wa_id) else { continue };
        blanked += 1;
        assert_eq!((left.name(), left.version()), (event.name(), event.version()));
        let again = AnyEvent::read(&fixture.aggregate, &fixture.name, &fixture.version, &left.payload().unwrap());
        assert_eq!(again.unwrap(), left, "{}", fixture.path.display());
        assert_eq!(left.redacted(&wa_id), None, "{}", fixture.path.display());
    }
    assert!(blanked > 20, "{blanked}");
}

#[test]
fn what_is_said_of_others_stays() {
    let stranger = WaId::parse("351999999999").unwrap();
    for fixture in fixtures() {
        let own = matches!(&*fixture.aggregate, "Chat" | "Contact" | "Media");
        if !own {
            assert_eq!(event_of(&fixture).redacted(&stranger), None, "{}", fixture.path.display());
        }
    }
}
