//! Events as earlier releases stored them: each must load for ever, and lose nothing on the way.
//!
//! `fixtures/events/<release>/<Aggregate>.<Event>.v<version>[.<case>].json` holds one payload. The folder of a release
//! that is out is never edited; a new event or version adds its file to the folder of the coming release.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use chatledger_domain::AnyEvent;
use serde_json::Value;

pub struct Fixture {
    pub path: PathBuf,
    pub release: String,
    pub aggregate: String,
    pub name: String,
    pub version: String,
    pub payload: String,
}

/// All of them, in order of their names.
pub fn fixtures() -> Vec<Fixture> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/events");
    let inside = |folder: &Path| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    let mut all: Vec<_> = inside(&folder).iter().flat_map(|release| inside(release)).collect();
    all.sort();
    all.into_iter().map(fixture).collect()
}

fn fixture(path: PathBuf) -> Fixture {
    let file = path.file_name().unwrap().to_str().unwrap();
    let [aggregate, name, version, ..] = file.split('.').collect::<Vec<_>>()[..] else {
        panic!("{file} is not named <Aggregate>.<Event>.v<version>[.<case>].json")
    };
    Fixture {
        release: path.parent().unwrap().file_name().unwrap().to_str().unwrap().to_owned(),
        aggregate: aggregate.to_owned(),
        name: name.to_owned(),
        version: version.strip_prefix('v').unwrap().to_owned(),
        payload: fs::read_to_string(&path).unwrap(),
        path,
    }
}

/// Whether everything that was stored is still there; a later shape may say more.
fn keeps(stored: &Value, now: &Value) -> bool {
    match (stored, now) {
        (Value::Object(stored), Value::Object(now)) => {
            stored.iter().all(|(key, value)| now.get(key).is_some_and(|now| keeps(value, now)))
        }
        _ => stored == now,
    }
}

/// What an event of an earlier version is read as.
fn golden(path: &Path) -> Value {
    let file = path.ancestors().nth(3).unwrap().join("lifted").join(path.file_name().unwrap());
    let text =
        fs::read_to_string(&file).unwrap_or_else(|_| panic!("{} is wanted: the present payload", file.display()));
    serde_json::from_str(&text).unwrap()
}

fn is_current(release: &str) -> bool {
    env!("CARGO_PKG_VERSION").strip_prefix(release).is_some_and(|patch| patch.starts_with('.'))
}

#[test]
fn every_stored_event_loads_and_loses_nothing() {
    for Fixture { path, release, aggregate, name, version, payload } in fixtures() {
        let event = AnyEvent::read(&aggregate, &name, &version, payload.trim())
            .unwrap_or_else(|error| panic!("{} does not load: {error:?}", path.display()));
        let stored: Value = serde_json::from_str(&payload).unwrap();
        let now: Value = serde_json::from_str(&event.payload().unwrap()).unwrap();
        let same = match version == event.version() {
            true if is_current(&release) => stored == now,
            true => keeps(&stored, &now),
            false => golden(&path) == now,
        };
        assert!(same, "{} came back as {now:#}", path.display());
        let again = AnyEvent::read(&aggregate, event.name(), event.version(), &event.payload().unwrap());
        assert_eq!(again.unwrap(), event, "{}", path.display());
    }
}

#[test]
fn every_event_has_a_stored_example() {
    let stored: BTreeSet<_> = fixtures().into_iter().map(|of| (of.aggregate, of.name, of.version)).collect();
    let present = AnyEvent::schemas().into_iter().map(|(aggregate, name, version, _)| (aggregate, name, version));
    let missing: Vec<String> = present
        .chain(AnyEvent::earlier_versions())
        .map(|(aggregate, name, version)| (aggregate.to_owned(), name.to_owned(), version.to_owned()))
        .filter(|event| !stored.contains(event))
        .map(|(aggregate, name, version)| format!("{aggregate}.{name}.v{version}.json"))
        .collect();
    assert!(missing.is_empty(), "without an example in tests/it/fixtures/events: {missing:#?}");
}

#[test]
fn every_version_from_the_first_on_can_be_read() {
    let earlier: BTreeSet<_> = AnyEvent::earlier_versions().into_iter().collect();
    for (aggregate, name, version, _) in AnyEvent::schemas() {
        for before in 1..version.parse::<u32>().unwrap() {
            let before = before.to_string();
            assert!(earlier.contains(&(aggregate, name, &*before)), "{aggregate}.{name} has lost version {before}");
        }
    }
}

#[test]
fn a_payload_that_fits_no_version_is_no_event() {
    let without_its_place = r#"{"tagged_with":null,"target":{"user":1},"done_by":1}"#;
    for (version, payload) in [("1", without_its_place), ("2", without_its_place), ("3", "{}"), ("1", "[]")] {
        let read = AnyEvent::read("RuleEngine", "RuleAdded", version, payload);
        assert!(read.is_err(), "version {version}: {read:?}");
    }
}
