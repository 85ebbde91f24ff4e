//! The README's recipes for changes: every file and command that they name is there.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use crate::harness::process::binary;

/// What stands between backticks in a section of the README.
fn named(section: &str) -> Vec<String> {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("the README");
    let section = readme.split("\n## ").find(|of| of.starts_with(section)).expect("the section");
    // A name may go on in the next line.
    let odd = section.split('`').skip(1).step_by(2);
    odd.map(|text| text.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// The names of all tests of this binary.
fn tests() -> String {
    let output = Command::new(std::env::current_exe().expect("this program")).arg("--list").output().expect("a list");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn every_file_that_a_recipe_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rooms = ["domain/", "application/", "projections/", "infrastructure/", "api/", "migrations/", "tests/"];
    let paths: BTreeSet<String> =
        named("How to change").into_iter().filter(|text| rooms.iter().any(|room| text.starts_with(room))).collect();
    assert!(paths.len() >= 9, "{paths:?}");
    for path in paths {
        assert!(root.join(&path).exists(), "{path}");
    }
}

#[test]
fn every_command_that_a_recipe_names_runs_something() {
    let (tests, mut commands) = (tests(), 0);
    for text in named("How to change") {
        if let Some((_, filters)) = text.split_once("cargo test --test it") {
            for filter in filters.split_whitespace().filter(|word| *word != "--") {
                assert!(tests.lines().any(|test| test.contains(filter)), "{text}: no test is called {filter}");
                commands += 1;
            }
        } else if let Some(arguments) = text.strip_prefix("chatledger ") {
            let shown =
                Command::new(binary()).args(arguments.split_whitespace()).arg("--help").output().expect("it runs");
            assert!(shown.status.success(), "{text}");
            commands += 1;
        }
    }
    assert!(commands >= 6, "{commands}");
}

#[test]
fn the_example_of_a_changed_event_is_the_one_in_the_code() {
    let line = r#"RuleAdded = "RuleAdded" v "2" from { "1" => place_for_position }"#;
    assert!(named("How to change").iter().any(|text| text == line));
    let code = Path::new(env!("CARGO_MANIFEST_DIR")).join("domain/src/rule_engine/event.rs");
    assert!(fs::read_to_string(code).expect("the code").contains(line));
}
