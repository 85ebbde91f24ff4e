//! Which test shows which rule of the contract, found by the tests' names.
//!
//! `rules.tsv` names every rule of the contract that this version keeps; `REPORT.md` lists the tests of each. A rule
//! without a test fails, and so does a test that names a rule that is not there.
//! `UPDATE_SNAPSHOTS=1 cargo test --test it rules` writes the report anew.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

const RULES: &str = include_str!("rules.tsv");
const ROOMS: [&str; 6] = ["tests/it", "domain", "application", "infrastructure", "projections", "api"];

/// A test: its file and its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Test {
    file: String,
    name: String,
    skipped: bool,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A rule of the contract.
#[derive(Clone, Copy, Debug)]
struct Rule {
    id: &'static str,
    /// What it is about.
    about: &'static str,
    /// Why it cannot be tested yet: nothing that it speaks of exists.
    later: Option<&'static str>,
}

/// The rules in order.
fn rules() -> Vec<Rule> {
    let lines = RULES.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let rule = |line: &'static str| {
        let mut cells = line.split('\t');
        let id = cells.next().unwrap_or_default();
        Rule { id, about: cells.next().unwrap_or_else(|| panic!("no tab: {line}")), later: cells.next() }
    };
    lines.map(rule).collect()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// Every test that bears the numbers of rules, by rule.
fn tests() -> BTreeMap<String, BTreeSet<Test>> {
    let mut files = Vec::new();
    for room in ROOMS {
        sources(&root().join(room), &mut files);
    }
    let mut by_rule: BTreeMap<String, BTreeSet<Test>> = BTreeMap::new();
    for path in files {
        let text = fs::read_to_string(&path).expect("a source");
        let file = path.strip_prefix(root()).expect("below the root").display().to_string();
        let (mut is_test, mut skipped) = (false, false);
        for line in text.lines().map(str::trim) {
            if line.starts_with("#[") {
                is_test |= line.contains("test]") || line.contains("test(");
                skipped |= line.starts_with("#[ignore");
            } else if let Some(name) = function(line) {
                if is_test {
                    for rule in named(name) {
                        let test = Test { file: file.clone(), name: name.to_owned(), skipped };
                        by_rule.entry(rule).or_default().insert(test);
                    }
                }
                (is_test, skipped) = (false, false);
            } else if !line.is_empty() && !line.starts_with("//") {
                (is_test, skipped) = (false, false);
            }
        }
    }
    by_rule
}

fn function(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("pub ").unwrap_or(line);
    let rest = rest.strip_prefix("async ").unwrap_or(rest).strip_prefix("fn ")?;
    rest.split('(').next()
}

/// The rules in a test's name: `r_auth_2_3_and_4_…`, `r_tag_3_to_5_…`, `r_gen_1_and_r_err_3_…`.
fn named(name: &str) -> Vec<String> {
    let words: Vec<&str> = name.split('_').collect();
    let (mut rules, mut area, mut last, mut at) = (Vec::new(), "", 0, 0);
    // Rows of the security scorecard may stand before: `s16_and_r_auth_12_…`.
    let is_row = |word: &str| word.strip_prefix('s').is_some_and(|n| n.starts_with(|c: char| c.is_ascii_digit()));
    while words.get(at).is_some_and(|word| is_row(word) || (at > 0 && *word == "and")) {
        at += 1;
    }
    while at < words.len() {
        let number = |at: usize| words.get(at).and_then(|word| word.parse::<u32>().ok());
        match (words[at], number(at + 1)) {
            ("r", _) if number(at + 2).is_some() => {
                (area, last) = (words[at + 1], number(at + 2).unwrap_or_default());
                rules.push(format!("R-{}-{last}", area.to_uppercase()));
                at += 3;
            }
            (word, _) if !area.is_empty() && word.parse::<u32>().is_ok() => {
                last = word.parse().unwrap_or_default();
                rules.push(format!("R-{}-{last}", area.to_uppercase()));
                at += 1;
            }
            ("and", Some(next)) if !area.is_empty() => {
                last = next;
                rules.push(format!("R-{}-{last}", area.to_uppercase()));
                at += 2;
            }
            ("to", Some(end)) if !area.is_empty() => {
                rules.extend((last + 1..=end).map(|n| format!("R-{}-{n}", area.to_uppercase())));
                last = end;
                at += 2;
            }
            ("and", None) if words.get(at + 1) == Some(&"r") && !area.is_empty() => at += 1,
            // The rules stand first; numbers behind them are part of the sentence.
            _ => break,
        }
    }
    rules
}

fn report(rules: &[Rule], tests: &BTreeMap<String, BTreeSet<Test>>) -> String {
    let covered = rules.iter().filter(|rule| tests.contains_key(rule.id)).count();
    let mut text = format!(
        "# Rules of the contract and their tests\n\nMade by `tests/it/rules/mod.rs` from the tests' names. \
         {covered} of {} rules have a test that bears their number. Tests in `tests/it` go through the running server; \
         the others stand beside the code that they test.\n\n| rule | what it is about | tests |\n|---|---|---|\n",
        rules.len(),
    );
    for rule in rules {
        let list: Vec<String> = tests.get(rule.id).map_or_else(Vec::new, |tests| {
            tests.iter().map(|test| format!("`{}` in {}", test.name, test.file)).collect()
        });
        let later = rule.later.map(|why| format!("later: {why}"));
        let list = if list.is_empty() { later.unwrap_or("**none**".to_owned()) } else { list.join("<br>") };
        let _ = writeln!(text, "| {} | {} | {list} |", rule.id, rule.about);
    }
    text
}

#[test]
fn every_rule_of_the_contract_has_a_test_that_bears_its_number() {
    let (rules, tests) = (rules(), tests());
    let path = root().join("tests/it/rules/REPORT.md");
    let now = report(&rules, &tests);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(&path, &now).expect("the report can be written");
    }
    let bare: Vec<_> = rules.iter().filter(|rule| rule.later.is_none() && !tests.contains_key(rule.id)).collect();
    assert!(bare.is_empty(), "{} rules have no test: {bare:?}", bare.len());
    let skipped: Vec<_> = tests.values().flatten().filter(|test| test.skipped).collect();
    assert!(skipped.is_empty(), "skipped: {skipped:?}");
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == now, "{} is out of date: UPDATE_SNAPSHOTS=1 cargo test --test it rules", path.display());
}

#[test]
fn no_test_names_a_rule_of_this_contract_that_is_not_there() {
    let known: BTreeSet<&str> = rules().into_iter().map(|rule| rule.id).collect();
    let areas: BTreeSet<&str> = known.iter().filter_map(|rule| rule.rsplit_once('-')).map(|(area, _)| area).collect();
    let unknown: Vec<String> = tests()
        .into_keys()
        .filter(|rule| rule.rsplit_once('-').is_some_and(|(area, _)| areas.contains(area)))
        .filter(|rule| !known.contains(rule.as_str()))
        .collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn the_numbers_in_a_name_are_read_as_people_read_them() {
    assert_eq!(named("r_auth_2_and_4_only_tokens"), ["R-AUTH-2", "R-AUTH-4"]);
    assert_eq!(named("r_gen_5_8_and_11_what"), ["R-GEN-5", "R-GEN-8", "R-GEN-11"]);
    assert_eq!(named("r_tag_3_to_5_taggings"), ["R-TAG-3", "R-TAG-4", "R-TAG-5"]);
    assert_eq!(named("r_gen_1_and_r_err_3_every_endpoint"), ["R-GEN-1", "R-ERR-3"]);
    assert_eq!(named("s8_and_s16_and_r_auth_12_secrets"), ["R-AUTH-12"]);
    assert_eq!(named("r_lim_1_the_61st_and_11_more"), ["R-LIM-1"]);
    assert_eq!(named("a_tag_is_created"), Vec::<String>::new());
}
