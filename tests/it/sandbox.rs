//! The sandbox as a user runs it: its one line, its commands beside it, a stop, and a second start on the same folder.

use std::{path::Path, process::Command, time::Duration};

use sqlx::{Connection, Executor, PgConnection};

use crate::harness::process::{Process, binary};

#[test]
fn a_second_start_keeps_data_and_credentials_and_the_ledger_proves_itself() {
    let data = tempfile::tempdir().unwrap();
    let first = Process::start(data.path(), "127.0.0.1:0", None);
    let wanted =
        ["base_url", "docs_url", "database_url", "simulator_url", "tenant", "admin", "agent", "bot", "whatsapp"];
    let mut keys: Vec<&String> = first.ready.as_object().unwrap().keys().collect();
    keys.sort();
    let mut sorted = wanted;
    sorted.sort_unstable();
    assert_eq!(keys, sorted);

    let (ok, said) = command(data.path(), &["simulate", "inbound", "--text", "Hello", "--from", "351912000222"]);
    assert!(ok && said.contains("\"status\":200"), "{said}");
    let (ok, said) = command(data.path(), &["ledger", "show", "--tenant", "demo", "--stream", "Chat/351912000222"]);
    assert!(ok && said.contains("MessageReceived") && said.contains("Hello"), "{said}");
    let credentials = |process: &Process| ["admin", "agent", "bot", "tenant"].map(|who| process.ready[who].clone());
    let before = credentials(&first);
    assert!(first.terminate() < Duration::from_secs(25));

    let second = Process::start(data.path(), "127.0.0.1:0", None);
    assert_eq!(credentials(&second), before);
    let (ok, said) = command(data.path(), &["ledger", "verify"]);
    assert!(ok && said.contains("in order"), "{said}");

    let position = alter_a_payload(&second.text("/database_url"));
    let (ok, said) = command(data.path(), &["ledger", "verify", "--tenant", "demo"]);
    assert!(!ok && said.contains(&format!("BROKEN at position {position}")), "{said}");
}

/// Changes one byte of one payload by hand, as only the database's owner can; its position.
fn alter_a_payload(url: &str) -> i64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut owner = PgConnection::connect(url).await.unwrap();
        owner.execute("ALTER TABLE ledger.events DISABLE TRIGGER USER").await.unwrap();
        sqlx::query_scalar(
            "UPDATE ledger.events SET payload = replace(payload::text, 'Hello', 'Hallo')::json
              WHERE event_type = 'MessageReceived' RETURNING position",
        )
        .fetch_one(&mut owner)
        .await
        .unwrap()
    })
}

/// Runs a command beside the sandbox: whether it succeeded, and what it printed.
fn command(data: &Path, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(binary());
    command.args(arguments).arg("--data-dir").arg(data).env_remove("DATABASE_URL");
    let output = command.output().expect("the program runs");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}
