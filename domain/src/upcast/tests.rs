//! An event that has changed twice: what was stored in each of its lives is read as what it is now.

use cqrs_es::persist::SerializedEvent;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::*;
use crate::decider::{Event, UnreadableEvent};

/// Version 1 had `pounds`, version 2 `grams`; version 3 says who weighed it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ParcelWeighed {
    grams: i64,
    by: String,
    label: crate::RawJson,
}

/// Never changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ParcelLost {}

fn grams_for_pounds(payload: &mut Members) -> Result<(), serde_json::Error> {
    let pounds: f64 = payload.get("pounds")?.unwrap_or_default();
    payload.remove("pounds");
    payload.set("grams", &((pounds * 453.592_37).round() as i64))
}

fn weighed_by_somebody(payload: &mut Members) -> Result<(), serde_json::Error> {
    payload.set("by", &"unknown")
}

crate::events! {
    /// An event of a parcel.
    ParcelEvent {
        /// Weighed.
        ParcelWeighed = "ParcelWeighed" v "3" from { "1" => grams_for_pounds, "2" => weighed_by_somebody },
        /// Lost.
        ParcelLost = "ParcelLost" v "1",
    }
}

impl Event for ParcelEvent {
    crate::stored_event!();
}

fn weighed(grams: i64, by: &str, label: &str) -> ParcelEvent {
    let label = crate::RawJson::parse(label.to_owned()).unwrap();
    ParcelWeighed { grams, by: by.to_owned(), label }.into()
}

#[test]
fn every_version_is_read_as_the_newest_and_what_is_not_lifted_keeps_its_bytes() {
    let odd = r#"{ "n":1.00, "t":"\u0000\ud83d" }"#;
    for (version, payload, expected) in [
        ("1", format!(r#"{{"label":{odd},"pounds":2}}"#), weighed(907, "unknown", odd)),
        ("2", format!(r#"{{"grams":5,"label":{odd}}}"#), weighed(5, "unknown", odd)),
        ("3", format!(r#"{{"grams":5,"by":"Ana","label":{odd}}}"#), weighed(5, "Ana", odd)),
    ] {
        assert_eq!(ParcelEvent::read("ParcelWeighed", version, &payload).unwrap(), expected, "version {version}");
    }
    assert_eq!(ParcelEvent::read("ParcelLost", "1", "{}").unwrap(), ParcelLost {}.into());
}

#[test]
fn what_is_written_has_the_newest_version() {
    assert_eq!(weighed(1, "Ana", "1").version(), "3");
    let present: Vec<_> = ParcelEvent::schemas().into_iter().map(|(name, version, _)| (name, version)).collect();
    assert_eq!(present, [("ParcelWeighed", "3"), ("ParcelLost", "1")]);
    assert_eq!(ParcelEvent::earlier_versions(), [("ParcelWeighed", "1"), ("ParcelWeighed", "2")]);
}

#[test]
fn an_unknown_version_and_a_payload_of_another_shape_are_told_apart() {
    let unknown = ParcelEvent::read("ParcelWeighed", "4", "{}").unwrap_err();
    assert!(matches!(unknown, UnreadableEvent::Unknown { .. }), "{unknown}");
    for payload in ["[]", "{", r#"{"pounds":"many"}"#, r#"{"pounds":1}"#] {
        let shape = ParcelEvent::read("ParcelWeighed", "1", payload).unwrap_err();
        assert!(matches!(shape, UnreadableEvent::Shape { .. }), "{payload}: {shape}");
    }
}

#[test]
fn a_stock_store_is_given_the_newest_shape_too() {
    let stored = |version: &str, payload| SerializedEvent {
        aggregate_id: "1".into(),
        sequence: 1,
        aggregate_type: "Parcel".into(),
        event_type: "ParcelWeighed".into(),
        event_version: version.into(),
        payload,
        metadata: serde_json::Value::Null,
    };
    let upcasters = ParcelEvent::upcasters();
    let able = |version: &str| upcasters.iter().find(|one| one.can_upcast("ParcelWeighed", version));
    assert!(able("3").is_none() && able("1").is_some());
    let lifted =
        able("1").unwrap().upcast(stored("1", serde_json::json!({"ParcelWeighed": {"pounds": 2, "label": 0}})));
    assert_eq!(lifted.event_version, "3");
    let event: ParcelEvent = serde_json::from_value(lifted.payload).unwrap();
    assert_eq!(event, weighed(907, "unknown", "0"));
}
