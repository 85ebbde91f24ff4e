//! The commands as an operator and an auditor run them, and the README's program, which needs none of ours.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};
use sqlx::PgPool;

use super::{
    erase,
    forger::{REMOVE, break_in, forge, rehash},
    grow, ledger,
};
use crate::harness::{
    postgres::{TestDatabase, database},
    process::binary,
};

/// An operator at a database, with a folder.
struct Operator {
    folder: tempfile::TempDir,
    url: String,
}

impl Operator {
    fn at(url: &str) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), url: url.to_owned() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs `ledger …` in the folder: whether it succeeded, what it printed, what it told.
    fn run(&self, arguments: &[&str]) -> (bool, String, String) {
        let mut command = Command::new(binary());
        command.current_dir(self.folder.path()).env("DATABASE_URL", &self.url).env("CHATLEDGER_LOGS__FILTER", "warn");
        let output = command.arg("ledger").args(arguments).args(["--data-dir", "."]).output().expect("it runs");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        (output.status.success(), text(output.stdout), text(output.stderr))
    }

    /// What it printed; it must succeed.
    fn ok(&self, arguments: &[&str]) -> String {
        let (ok, said, told) = self.run(arguments);
        assert!(ok, "{arguments:?}: {said}{told}");
        said
    }

    /// What it printed and told; it must fail.
    fn fails(&self, arguments: &[&str]) -> String {
        let (ok, said, told) = self.run(arguments);
        assert!(!ok, "{arguments:?}: {said}");
        said + &told
    }

    /// Writes a JSON file that was changed.
    fn altered(&self, file: &str, alter: impl FnOnce(&mut Value)) -> String {
        let mut value: Value = serde_json::from_str(&fs::read_to_string(self.path(file)).unwrap()).unwrap();
        alter(&mut value);
        fs::write(self.path("altered.json"), value.to_string()).unwrap();
        "altered.json".to_owned()
    }
}

/// Changes something of a file.
type Alteration = fn(&mut Value);

/// With a ledger of its own.
async fn operator() -> (Operator, PgPool, chatledger_domain::TenantId) {
    let TestDatabase { pool, url } = database().await;
    let (tenant, _) = ledger(&pool, "acme", 40).await;
    (Operator::at(&url), pool, tenant)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_finds_a_ledger_that_was_rewritten_since() {
    let (operator, pool, tenant) = operator().await;
    assert!(operator.fails(&["checkpoint"]).contains("ledger key create"));
    let key = operator.ok(&["key", "create"]);
    let key = key.trim();
    assert_eq!(operator.ok(&["key", "show"]).trim(), key);
    assert!(operator.fails(&["key", "create"]).contains("left as it is"));

    operator.ok(&["checkpoint", "--tenant", "acme", "--output", "monday.json"]);
    assert!(operator.fails(&["checkpoint", "--output", "monday.json"]).contains("exists"), "a witness is kept");
    grow(&pool, tenant).await;
    let head = grow(&pool, tenant).await;
    operator.ok(&["checkpoint", "--output", "tuesday.json"]);
    let check = ["check-checkpoint", "monday.json", "tuesday.json", "--public-key", key];
    let said = operator.ok(&check);
    assert_eq!(said.matches("the ledger still is what was signed").count(), 2, "{said}");

    // Between the two.
    break_in(&pool).await;
    let monday: Value = serde_json::from_str(&fs::read_to_string(operator.path("monday.json")).unwrap()).unwrap();
    let monday = monday["position"].as_i64().unwrap();
    forge(&pool, &format!("UPDATE ledger.events SET payload = '{{}}' WHERE position = {}", monday + 1)).await;
    rehash(&pool, tenant).await;
    operator.ok(&["verify"]);
    let said = operator.fails(&check);
    assert_eq!(said.matches("the ledger still is what was signed").count(), 1, "{said}");
    assert!(said.contains(&format!("rewritten at or before position {head}, after position {monday}")), "{said}");

    // Cut short, head and all.
    forge(&pool, "DELETE FROM ledger.events WHERE position > 40").await;
    rehash(&pool, tenant).await;
    operator.ok(&["verify"]);
    assert!(operator.fails(&check).contains("broken at position 41: missing"));

    // Gone altogether: there is nothing to verify, and the checkpoint still knows.
    forge(&pool, "DELETE FROM ledger.events; DELETE FROM ledger.heads").await;
    operator.ok(&["verify"]);
    assert!(operator.fails(&check).contains("broken at position 1: missing"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_that_was_altered_or_that_somebody_else_signed_is_refused() {
    let (operator, _pool, _) = operator().await;
    let key = operator.ok(&["key", "create"]);
    operator.ok(&["checkpoint", "--output", "it.json"]);
    let offline = |file: &str, key: &str| {
        operator.run(&["check-checkpoint", file, "--offline", "--json", "--public-key", key.trim()])
    };
    let (ok, said, _) = offline("it.json", &key);
    let line: Value = serde_json::from_str(&said).unwrap();
    assert!(ok && line["ok"] == true && line["compared"] == false, "{said}");
    let pem = operator.ok(&["key", "show", "--pem"]);
    fs::write(operator.path("public.pem"), pem).unwrap();
    assert!(offline("it.json", "public.pem").0);

    let altered = operator.altered("it.json", |it| it["position"] = json!(1));
    assert!(operator.fails(&["check-checkpoint", &altered, "--offline"]).contains("the signature is wrong"));
    // Signed again by whoever altered it: only who knows the right key sees it.
    let other = Operator::at(&operator.url);
    other.ok(&["key", "create"]);
    let foreign = other.ok(&["checkpoint"]);
    fs::write(operator.path("foreign.json"), foreign).unwrap();
    let (ok, said, _) = offline("foreign.json", &key);
    assert!(!ok && said.contains("another key"), "{said}");
    let (_, _, told) = operator.run(&["check-checkpoint", "foreign.json", "--offline"]);
    assert!(told.contains("--public-key"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_ledger_is_named_and_never_signed() {
    let (operator, pool, _) = operator().await;
    operator.ok(&["key", "create"]);
    let (_, head) = ledger(&pool, "other", 5).await;
    let said = operator.ok(&["verify", "--json"]);
    let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.len() == 2 && lines.iter().all(|line| line["ok"] == true), "{said}");
    assert!(lines.iter().any(|line| line["events"] == head), "{said}");

    break_in(&pool).await;
    forge(&pool, &format!("{REMOVE}; DELETE FROM ledger.heads WHERE head_position = {head}")).await;
    let said = operator.fails(&["verify"]);
    assert!(said.contains("BROKEN at position 30") && said.contains("no recorded head"), "every one of them: {said}");
    let (ok, said, told) = operator.run(&["checkpoint"]);
    assert!(!ok && said.trim().is_empty() && told.matches("not signed").count() == 2, "{said}{told}");
    let (_, _, told) = operator.run(&["verify", "--tenant", "nobody"]);
    assert!(told.contains("no ledger of tenant nobody"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_shows_its_event_and_nothing_of_the_others() {
    let (operator, pool, _) = operator().await;
    let key = operator.ok(&["key", "create"]);
    operator.ok(&["checkpoint", "--output", "it.json"]);
    let head: Value = serde_json::from_str(&fs::read_to_string(operator.path("it.json")).unwrap()).unwrap();
    let head = head["position"].as_i64().unwrap();
    for position in [1, 2, 62, head] {
        let (at, file) = (position.to_string(), format!("{position}.json"));
        let prove = ["prove", "--tenant", "acme", "--position", &at, "--checkpoint", "it.json", "--output", &file];
        operator.ok(&prove);
        let said = operator.ok(&["check-proof", &file, "--public-key", key.trim()]);
        assert!(said.contains("proved") && said.contains(&format!("position    {position} of {head}")), "{said}");
    }
    let size = fs::metadata(operator.path("62.json")).unwrap().len();
    assert!(size < 4_000, "{size} bytes");
    let others: Vec<(String, String)> = sqlx::query_as(
        "SELECT DISTINCT aggregate_id, payload::text FROM ledger.events WHERE aggregate_id NOT IN \
            (SELECT aggregate_id FROM ledger.events WHERE position = 62) AND aggregate_id <> 'tenant'",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let proof = fs::read_to_string(operator.path("62.json")).unwrap();
    assert!(others.len() > 30 && others.iter().all(|(id, payload)| !proof.contains(id) && !proof.contains(payload)));

    // Without a checkpoint one is made; an event that is not there cannot be proved.
    let fresh: Value = serde_json::from_str(&operator.ok(&["prove", "--tenant", "acme", "--position", "7"])).unwrap();
    assert_eq!(fresh["checkpoint"]["position"], head);
    for position in ["0", "-9223372036854775808", "1000"] {
        let position = format!("--position={position}");
        assert!(operator.fails(&["prove", "--tenant", "acme", &position]).contains("no event at position"));
    }

    let alterations: [(&str, Alteration); 9] = [
        ("payload", |it| it["event"]["payload"] = json!("{}")),
        ("event", |it| it["event"]["metadata"] = json!("{}")),
        ("event", |it| it["event"]["aggregate_id"] = json!("x")),
        ("event", |it| it["event"]["sequence"] = json!(99)),
        ("event", |it| it["event"]["occurred_at"] = json!("2026-01-06T10:00:00.000001Z")),
        ("event", |it| it["event"]["previous_hash"] = it["event"]["hash"].clone()),
        ("event", |it| it["event"]["position"] = json!(61)),
        ("not in the ledger", |it| it["path"][0] = it["path"][1].clone()),
        ("the signature is wrong", |it| it["checkpoint"]["root"] = it["event"]["hash"].clone()),
    ];
    for (said, alter) in alterations {
        let altered = operator.altered("62.json", alter);
        assert!(operator.fails(&["check-proof", &altered]).contains(said), "{said}");
    }
}

/// The program of the README, word for word.
fn program() -> &'static str {
    let readme = include_str!("../../../README.md");
    let mut blocks = readme.split("```python\n").skip(1).filter_map(|rest| rest.split("\n```").next());
    blocks.find(|block| block.contains("previous_hash")).expect("the README shows how to check")
}

/// The README's line of openssl.
fn openssl() -> &'static str {
    let readme = include_str!("../../../README.md");
    readme.lines().find(|line| line.starts_with("openssl pkeyutl")).expect("the README shows how to check")
}

/// Checks a file as the README says, with Python and openssl alone.
fn check_by_hand(folder: &Path, file: &str) -> Result<(), String> {
    let python = Command::new("python3").current_dir(folder).args(["-c", program(), file]).output();
    let python = python.expect("python3 is needed for this test: install it (.ci/run does)");
    if !python.status.success() {
        return Err(String::from_utf8_lossy(&python.stderr).into_owned());
    }
    let shell = Command::new("/bin/sh").current_dir(folder).args(["-c", openssl()]).output().expect("a shell");
    if shell.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&shell.stdout).into_owned()) }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_readme_checks_checkpoints_and_proofs_without_this_program() {
    let (operator, pool, tenant) = operator().await;
    operator.ok(&["key", "create"]);
    fs::write(operator.path("public.pem"), operator.ok(&["key", "show", "--pem"])).unwrap();
    erase(&pool, tenant, &[63], 1).await;
    operator.ok(&["checkpoint", "--output", "checkpoint.json"]);
    let folder = operator.folder.path();
    check_by_hand(folder, "checkpoint.json").unwrap();
    for position in ["1", "62", "63", "64"] {
        let file = format!("{position}.json");
        operator.ok(&["prove", "--tenant", "acme", "--position", position, "--output", &file]);
        check_by_hand(folder, &file).unwrap();
    }
    let erased: Value = serde_json::from_str(&fs::read_to_string(operator.path("63.json")).unwrap()).unwrap();
    assert_eq!(erased["event"]["payload"], Value::Null);

    let alterations: [(&str, &str, Alteration); 5] = [
        ("62.json", "the payload was altered", |it| it["event"]["payload"] = json!("{}")),
        ("62.json", "the event was altered", |it| it["event"]["event_version"] = json!("2")),
        ("62.json", "not in the ledger", |it| it["path"][2] = it["path"][1].clone()),
        ("62.json", "Verification Failure", |it| it["checkpoint"]["time"] = json!("2026-01-01T00:00:00Z")),
        ("checkpoint.json", "Verification Failure", |it| it["hash"] = it["root"].clone()),
    ];
    for (file, said, alter) in alterations {
        let altered = operator.altered(file, alter);
        let error = check_by_hand(folder, &altered).expect_err(said);
        assert!(error.contains(said), "{said}: {error}");
    }
}
