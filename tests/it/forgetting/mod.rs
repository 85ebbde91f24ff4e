//! Forgetting a contact: nothing personal of it is left anywhere, and the ledger can still be proved.

mod everywhere;
mod races;
mod redaction;

use std::{path::PathBuf, process::Command};

use crate::{harness::inbox::Inbox, inbound::cli};

const RUI: &str = "351912000111";
const ANA: &str = "351912000222";

/// Every row of a database, as text.
pub async fn dump(url: &str) -> String {
    let url = url.to_owned();
    let dumped =
        tokio::task::spawn_blocking(move || Command::new(pg_dump()).args(["--inserts", "--dbname", &url]).output());
    let output = dumped.await.expect("a thread").expect("pg_dump runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// `pg_dump` of the newest PostgreSQL on the machine, for it reads older servers and no newer ones.
fn pg_dump() -> PathBuf {
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = installed.map(|entry| entry.path().join("bin/pg_dump")).collect();
    found.retain(|path| path.is_file());
    found.sort();
    found.pop().unwrap_or_else(|| "pg_dump".into())
}

/// The chain verifies, and every read model is what a rebuild makes of the ledger.
pub async fn everything_is_in_order(inbox: &Inbox) {
    let (ok, said) = cli(inbox, inbox.data_dir(), &["ledger", "verify"]).await;
    assert!(ok && said.contains("in order"), "{said}");
    let (ok, said) = cli(inbox, inbox.data_dir(), &["projections", "compare", "--all"]).await;
    assert!(ok, "{said}");
}
