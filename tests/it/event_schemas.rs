//! The shape of every stored event, committed: a change of shape shows in review as a change of these files. Shapes of
//! earlier versions, which no code has any more, stay.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use chatledger_domain::AnyEvent;
use serde_json::{Map, Value};

use crate::event_fixtures::fixtures;

const ADOPT: &str = "UPDATE_SNAPSHOTS=1 cargo test --test it event_schemas";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/schemas")
}

/// With keys in order, whatever features of `serde_json` other crates switch on.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members: BTreeMap<String, Value> = members.into_iter().map(|(key, of)| (key, sorted(of))).collect();
            Value::Object(members.into_iter().collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

/// The files as they should be.
fn expected() -> BTreeMap<String, String> {
    let schemas = AnyEvent::schemas();
    let count = schemas.len();
    let files: BTreeMap<_, _> = schemas
        .into_iter()
        .map(|(aggregate, name, version, schema)| {
            let text = serde_json::to_string_pretty(&sorted(schema.to_value())).unwrap();
            (format!("{aggregate}.{name}.v{version}.json"), format!("{text}\n"))
        })
        .collect();
    assert_eq!(files.len(), count, "two events share a name and a version");
    files
}

/// The files as they are.
fn committed() -> BTreeMap<String, String> {
    let Ok(entries) = fs::read_dir(folder()) else { return BTreeMap::new() };
    entries
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap()))
        .collect()
}

/// The names of the files of earlier versions.
fn earlier() -> BTreeSet<String> {
    let name = |(aggregate, name, version)| format!("{aggregate}.{name}.v{version}.json");
    AnyEvent::earlier_versions().into_iter().map(name).collect()
}

fn adopt(files: &BTreeMap<String, String>) {
    fs::create_dir_all(folder()).unwrap();
    for name in committed().keys().filter(|name| !files.contains_key(*name) && !earlier().contains(*name)) {
        fs::remove_file(folder().join(name)).unwrap();
    }
    for (name, text) in files {
        fs::write(folder().join(name), text).unwrap();
    }
}

/// The lines that differ, `-` committed and `+` now.
fn difference(committed: &str, now: &str) -> String {
    let (old, new): (BTreeSet<&str>, BTreeSet<&str>) = (committed.lines().collect(), now.lines().collect());
    let gone = committed.lines().filter(|line| !new.contains(line)).map(|line| format!("  - {line}\n"));
    let come = now.lines().filter(|line| !old.contains(line)).map(|line| format!("  + {line}\n"));
    let lines: String = gone.chain(come).collect();
    if lines.is_empty() { "  the same lines in another order or number\n".into() } else { lines }
}

#[test]
fn the_shape_of_every_event_is_the_committed_one() {
    let expected = expected();
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        adopt(&expected);
    }
    let committed = committed();
    let mut report = String::new();
    for (name, now) in &expected {
        match committed.get(name) {
            None => report += &format!("{name}: an event without a committed schema\n"),
            Some(before) if before != now => report += &format!("{name}:\n{}", difference(before, now)),
            Some(_) => {}
        }
    }
    for name in committed.keys().filter(|name| !expected.contains_key(*name) && !earlier().contains(*name)) {
        report += &format!("{name}: no event has this schema (any more)\n");
    }
    assert!(
        report.is_empty(),
        "The shape of events changed. Stored events keep their shape for ever: an optional field or one with a \
         default may be added, anything else needs a new version.\n\n{report}\nTo adopt the change: {ADOPT}"
    );
}

#[test]
fn the_shape_of_an_earlier_version_stays_and_its_examples_fit_it() {
    let committed = committed();
    for file in earlier() {
        let shape =
            committed.get(&file).unwrap_or_else(|| panic!("tests/it/schemas/{file} is gone: it stays for ever"));
        let shape: Value = serde_json::from_str(shape).unwrap();
        let members = shape["properties"].as_object().unwrap();
        let required: Vec<&str> = shape["required"].as_array().unwrap().iter().map(|of| of.as_str().unwrap()).collect();
        let examples =
            fixtures().into_iter().filter(|of| format!("{}.{}.v{}.json", of.aggregate, of.name, of.version) == file);
        for example in examples {
            let stored: Map<String, Value> = serde_json::from_str(&example.payload).unwrap();
            assert!(stored.keys().all(|key| members.contains_key(key)), "{} says more", example.path.display());
            assert!(required.iter().all(|key| stored.contains_key(*key)), "{} says less", example.path.display());
        }
    }
}
