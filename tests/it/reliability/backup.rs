//! R23: a backup made while the server writes, restored elsewhere: the ledger verifies, everything acknowledged before
//! the backup began is there, and the read models are what a rebuild makes of it.

use std::{
    collections::HashSet,
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use super::load::{self, Target};
use crate::harness::{
    http::Client,
    process::{Process, binary},
};

/// The folder of the database's own programs.
fn programs() -> PathBuf {
    let found = Command::new("/bin/sh")
        .args([
            "-c",
            "for d in \"$(dirname \"$(readlink -f \"$(command -v postgres)\" 2>/dev/null)\" 2>/dev/null)\" \
              /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/local/pgsql/bin /opt/homebrew/opt/postgresql*/bin; do \
              [ -x \"$d/initdb\" ] && [ -x \"$d/pg_basebackup\" ] && echo \"$d\" && break; done; true",
        ])
        .output()
        .expect("a shell");
    let folder = String::from_utf8(found.stdout).expect("a path");
    assert!(!folder.trim().is_empty(), "pg_basebackup is missing: it comes with PostgreSQL's server");
    PathBuf::from(folder.trim())
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    said
}

/// Verifies the ledgers and compares the read models, as an operator would.
fn hold(data: &Path, url: Option<&str>) {
    for args in [&["ledger", "verify"][..], &["projections", "compare", "--all"]] {
        let mut command = Command::new(binary());
        command.args(args).arg("--data-dir").arg(data).env("CHATLEDGER_LOGS__FILTER", "warn");
        match url {
            Some(url) => command.env("DATABASE_URL", url),
            None => command.env_remove("DATABASE_URL"),
        };
        run(&mut command);
    }
}

async fn has_all(url: &str, acknowledged: &HashSet<String>) {
    let pool = chatledger_infrastructure::postgres::connect(url, 2).unwrap();
    let ids: Vec<String> =
        sqlx::query_scalar("SELECT payload->>'waba_id' FROM ledger.events WHERE event_type = 'MessageReceived'")
            .fetch_all(&pool)
            .await
            .unwrap();
    let stored: HashSet<String> = ids.into_iter().collect();
    let lost: Vec<_> = acknowledged.difference(&stored).collect();
    assert!(lost.is_empty(), "acknowledged before the backup and not in it: {lost:?}");
    pool.close().await;
}

/// The user and group that the server's files belong to.
async fn owner_of(url: &str) -> (u32, u32) {
    let pool = chatledger_infrastructure::postgres::connect(url, 1).unwrap();
    let folder: String = sqlx::query_scalar("SHOW data_directory").fetch_one(&pool).await.unwrap();
    pool.close().await;
    let of = std::fs::metadata(folder).unwrap();
    (of.uid(), of.gid())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r23_backups_made_while_writing_restore_whole() {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start(data.path(), "127.0.0.1:0", None);
    let url = server.text("/database_url");
    let target = Target {
        http: Client::new(server.text("/base_url")),
        app_secret: server.text("/whatsapp/app_secret"),
        phone_number_id: server.text("/whatsapp/phone_number_id"),
    };
    let load = load::start(&target, 6, Duration::from_millis(10), 40);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let acknowledged = || load.acknowledged.lock().unwrap().clone();
    let programs = programs();

    // A dump, into another database of the same server.
    let before = acknowledged();
    assert!(before.len() > 20, "no load");
    let dump = data.path().join("dump");
    run(Command::new(programs.join("pg_dump")).args(["--format=custom", "--file"]).arg(&dump).arg(&url));
    let elsewhere = crate::harness::postgres::with_database(&url, "elsewhere");
    run(Command::new(programs.join("createdb")).arg("--maintenance-db").arg(&url).arg("elsewhere"));
    run(Command::new(programs.join("pg_restore")).args(["--exit-on-error", "--dbname"]).arg(&elsewhere).arg(&dump));
    has_all(&elsewhere, &before).await;
    let scratch = tempfile::tempdir().unwrap();
    hold(scratch.path(), Some(&elsewhere));

    // A base backup, as a cluster of its own.
    let before = acknowledged();
    let copy = tempfile::tempdir().unwrap();
    let place = copy.path().join("copy");
    run(Command::new(programs.join("pg_basebackup"))
        .args(["--wal-method=stream", "--checkpoint=fast", "--pgdata"])
        .arg(&place)
        .arg("--dbname")
        .arg(&url));
    load.finish().await;
    let owner = owner_of(&url).await;
    let url = start_copy(&programs, &place, &url, owner);
    has_all(&url, &before).await;
    hold(scratch.path(), Some(&url));
    stop_copy(&programs, &place, owner);
    drop(server);
}

/// A program of the user that the cluster runs as: Postgres refuses root.
fn as_owner(program: PathBuf, owner: (u32, u32)) -> Command {
    let mut command = Command::new(program);
    if run(Command::new("id").arg("-u")).trim() == "0" {
        command.uid(owner.0).gid(owner.1);
    }
    command
}

fn start_copy(programs: &Path, place: &Path, url: &str, owner: (u32, u32)) -> String {
    let parent = place.parent().expect("a folder");
    run(Command::new("chown").args(["-R", &format!("{}:{}", owner.0, owner.1)]).arg(parent));
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let options = format!("-c listen_addresses=127.0.0.1 -c unix_socket_directories='' -p {port}");
    run(as_owner(programs.join("pg_ctl"), owner)
        .args(["start", "--wait", "--timeout=120", "--log"])
        .arg(place.join("log"))
        .arg("--options")
        .arg(options)
        .arg("--pgdata")
        .arg(place)
        .stdout(std::process::Stdio::null()));
    let mut moved: url::Url = url.parse().unwrap();
    moved.set_host(Some("127.0.0.1")).unwrap();
    moved.set_port(Some(port)).unwrap();
    moved.into()
}

fn stop_copy(programs: &Path, place: &Path, owner: (u32, u32)) {
    run(as_owner(programs.join("pg_ctl"), owner).args(["stop", "--mode=immediate", "--pgdata"]).arg(place));
}
