//! The rules of the house, held by a test: who may depend on whom, what lies where, which licences come along.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// Each crate of ours and the ones it may know.
const DIRECTION: [(&str, &[&str]); 6] = [
    ("chatledger-domain", &[]),
    ("chatledger-application", &["chatledger-domain"]),
    ("chatledger-infrastructure", &["chatledger-domain", "chatledger-application"]),
    ("chatledger-projections", &["chatledger-domain", "chatledger-application"]),
    (
        "chatledger-api",
        &["chatledger-domain", "chatledger-application", "chatledger-projections", "chatledger-infrastructure"],
    ),
    // The tests, which see everything.
    (
        "chatledger",
        &[
            "chatledger-domain",
            "chatledger-application",
            "chatledger-infrastructure",
            "chatledger-projections",
            "chatledger-api",
        ],
    ),
];

/// What a crate must not depend on itself: a name, or the beginning of one.
const FORBIDDEN: [(&str, &[&str]); 3] = [
    ("chatledger-domain", &["sqlx", "tokio", "actix", "reqwest", "postgres", "chrono", "rand"]),
    ("chatledger-application", &["sqlx", "actix", "reqwest", "postgres"]),
    ("chatledger-api", &["sqlx", "postgres"]),
];

/// What is at the root besides hidden files: all of it, and nothing else.
const ROOT: [&str; 11] = [
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "api",
    "application",
    "domain",
    "infrastructure",
    "migrations",
    "projections",
    "tests",
];

/// Licences that ask for no more than being named.
const LICENCES: [&str; 12] = [
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    // Of data: the root certificates that come with `webpki-roots`.
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Design §3 says about 400 lines a file.
const MAX_LINES: usize = 420;

const CRATES: [&str; 5] = ["domain", "application", "infrastructure", "projections", "api"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What Cargo knows of our crates and of what they bring along on this machine. Nothing is fetched for it.
fn packages() -> Vec<Value> {
    let version = cargo(&["-vV"]);
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let text = cargo(&["metadata", "--format-version", "1", "--offline", "--filter-platform", host]);
    let metadata: Value = serde_json::from_str(&text).unwrap();
    let packages = metadata["packages"].as_array().unwrap().clone();
    assert!(packages.len() > CRATES.len());
    packages
}

/// Our crates, each with the names of what it depends on itself.
fn ours() -> BTreeMap<String, BTreeSet<String>> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    packages()
        .iter()
        .filter(|package| package["source"].is_null())
        .map(|package| {
            let dependencies = package["dependencies"].as_array().unwrap();
            (text(&package["name"]), dependencies.iter().map(|dependency| text(&dependency["name"])).collect())
        })
        .collect()
}

/// The files under a folder of the root with one of these endings, as paths from the root.
fn files(folder: &str, endings: &[&str]) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![root().join(folder)]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| endings.iter().any(|known| ending == *known)) {
                found.push(path.strip_prefix(root()).unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

fn sources() -> Vec<PathBuf> {
    CRATES.iter().chain(&["tests"]).flat_map(|folder| files(folder, &["rs"])).collect()
}

fn read(path: &Path) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

#[test]
fn dependencies_point_inwards() {
    let ours = ours();
    let names: BTreeSet<&str> = ours.keys().map(String::as_str).collect();
    assert_eq!(names, DIRECTION.iter().map(|(name, _)| *name).collect(), "a new crate needs its place in the house");
    for (name, allowed) in DIRECTION {
        for dependency in ours[name].iter().filter(|dependency| names.contains(dependency.as_str())) {
            assert!(allowed.contains(&dependency.as_str()), "{name} must not depend on {dependency}");
        }
    }
}

#[test]
fn inner_crates_know_no_technology() {
    let ours = ours();
    for (name, forbidden) in FORBIDDEN {
        for dependency in &ours[name] {
            let banned = forbidden.iter().any(|ban| dependency.starts_with(ban));
            assert!(!banned, "{name} must not depend on {dependency}");
        }
    }
}

#[test]
fn only_the_start_of_the_program_names_infrastructure() {
    let may = |path: &Path| {
        [Path::new("api/src/main.rs"), Path::new("api/src/bootstrap.rs")].contains(&path)
            || path.starts_with("api/src/bootstrap")
    };
    let offenders: Vec<_> = files("api", &["rs"])
        .into_iter()
        .filter(|path| !may(path) && read(path).contains("chatledger_infrastructure"))
        .collect();
    assert!(offenders.is_empty(), "only main.rs and bootstrap.rs may name infrastructure, not {offenders:?}");
}

#[test]
fn sql_is_only_in_infrastructure_and_projections() {
    let offenders: Vec<_> = ["domain", "application", "api"]
        .iter()
        .flat_map(|folder| files(folder, &["rs", "sql"]))
        .filter(|path| path.extension().is_some_and(|ending| ending == "sql") || read(path).contains("sqlx::"))
        .collect();
    assert!(offenders.is_empty(), "{offenders:?}");
}

#[test]
fn no_crate_is_a_drawer_for_everything() {
    for name in ours().keys() {
        let drawer = ["common", "util", "utils", "shared", "helpers", "misc"];
        assert!(!name.split('-').any(|word| drawer.contains(&word)), "{name}");
    }
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    for folder in CRATES {
        let manifest = read(&Path::new(folder).join("Cargo.toml"));
        assert!(manifest.contains("[lints]\nworkspace = true"), "{folder}/Cargo.toml");
    }
}

#[test]
fn the_root_holds_what_the_design_says() {
    let entries: BTreeSet<String> = fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with('.') && name != "target")
        .collect();
    assert_eq!(entries, ROOT.iter().map(|name| (*name).to_owned()).collect());
}

#[test]
fn no_file_is_long() {
    let lines = |path: &PathBuf| read(path).lines().count();
    let long: Vec<_> =
        sources().into_iter().map(|path| (lines(&path), path)).filter(|(lines, _)| *lines > MAX_LINES).collect();
    assert!(long.is_empty(), "longer than {MAX_LINES} lines: {long:?}");
}

#[test]
fn every_file_opens_with_what_it_is_for() {
    let silent: Vec<_> = sources().into_iter().filter(|path| !read(path).starts_with("//! ")).collect();
    assert!(silent.is_empty(), "these open with no sentence: {silent:?}");
    let folders = ["migrations", "infrastructure", "projections", "tests"];
    let sql = folders.iter().flat_map(|folder| files(folder, &["sql"]));
    let silent: Vec<_> = sql.filter(|path| !read(path).starts_with("-- ")).collect();
    assert!(silent.is_empty(), "these open with no sentence: {silent:?}");
}

#[test]
fn every_licence_is_permissive() {
    let strict: Vec<String> = packages()
        .iter()
        .filter(|package| !package["license"].as_str().is_some_and(is_permissive))
        .map(|package| format!("{} {}: {}", package["name"], package["version"], package["license"]))
        .collect();
    assert!(strict.is_empty(), "not on the list: {strict:#?}");
}

/// Whether a licence expression can be met with the licences of the list alone.
fn is_permissive(expression: &str) -> bool {
    // `/` is how older packages write a choice.
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words = spaced.split_whitespace().peekable();
    let permissive = choice(&mut words);
    permissive && words.next().is_none()
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn choice(words: &mut Words) -> bool {
    let mut any = every(words);
    while words.next_if_eq(&"OR").is_some() {
        any |= every(words);
    }
    any
}

fn every(words: &mut Words) -> bool {
    let mut all = licence(words);
    while words.next_if_eq(&"AND").is_some() {
        all &= licence(words);
    }
    all
}

fn licence(words: &mut Words) -> bool {
    match words.next() {
        Some("(") => {
            let inner = choice(words);
            words.next_if_eq(&")").is_some() && inner
        }
        Some(name) => {
            // An exception (`WITH …`) only ever allows more.
            if words.next_if_eq(&"WITH").is_some() {
                words.next();
            }
            LICENCES.contains(&name)
        }
        None => false,
    }
}

#[test]
fn licence_expressions_are_understood() {
    for fine in ["MIT", "MIT/Apache-2.0", "GPL-3.0 OR MIT", "(MIT OR X) AND ISC", "Apache-2.0 WITH LLVM-exception"] {
        assert!(is_permissive(fine), "{fine}");
    }
    for strict in ["GPL-3.0", "MIT AND GPL-3.0", "(MIT OR ISC) AND X", "", "MIT MIT", "MPL-2.0", "(MIT"] {
        assert!(!is_permissive(strict), "{strict}");
    }
}
