//! The sandbox as a user runs it: its one line, its commands beside it, a stop, and a second start on the same folder.

use std::{path::Path, process::Command, time::Duration};

use sqlx::{Connection, Executor, PgConnection};

use crate::harness::{
    http::Client,
    process::{Process, binary},
};

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
    let output = command.env("CHATLEDGER_PASSWORD", "a good password").output().expect("the program runs");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn an_operator_looks_after_users_beside_the_running_server() {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start(data.path(), "127.0.0.1:0", None);
    let user = |action: &str, arguments: &[&str]| {
        command(data.path(), &[&["user", action, "--tenant", "demo"], arguments].concat())
    };
    let (ok, said) = user("create", &["--username", "ines", "--role", "admin", "--email", "ines@demo.example"]);
    assert!(ok && said.contains("<public url>/api/v1/users/activate/"), "{said}");
    let (ok, renewed) = user("activation-link", &["--username", "INES"]);
    assert!(ok && renewed != said, "{renewed}");
    let path = |said: &str| said.split("<public url>").nth(1).unwrap().trim().to_owned();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let http = Client::new(server.text("/base_url"));
    let follow = |path: String| runtime.block_on(http.call(reqwest::Method::POST, &path, None, None)).status;
    assert_eq!((follow(path(&said)), follow(path(&renewed))), (404, 200));
    let (ok, said) = user("list", &[]);
    let line = said.lines().find(|line| line.contains("ines@demo.example")).unwrap();
    assert!(ok && line.contains("active") && line.contains("admin") && line.contains("Admin"), "{said}");
    assert!(user("set-password", &["--username", "ines"]).0);
    let log_in = serde_json::json!({"username": "ines", "password": "a good password"});
    let answer = runtime.block_on(http.call(reqwest::Method::POST, "auth/token/", None, Some(log_in)));
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(user("deactivate", &["--username", "admin"]).0);
    let (ok, said) = user("deactivate", &["--username", "ines"]);
    assert!(!ok && said.contains("the last active admin has to stay"), "{said}");
    for (action, name) in [("deactivate", "nobody"), ("activation-link", "ines"), ("create", "in es")] {
        assert!(!user(action, &["--username", name]).0, "{action} {name}");
    }
}
