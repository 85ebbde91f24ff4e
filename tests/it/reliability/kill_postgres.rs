//! R2: the whole of Postgres is killed again and again under load; the server lives on and loses nothing.

use std::{process::Command, time::Duration};

use sqlx::postgres::PgPoolOptions;

use super::{
    load::{self, Target},
    rounds,
};
use crate::harness::{http::Client, process::Process};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r2_kill_9_of_postgres_loses_nothing_that_was_acknowledged() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().to_owned();
    // The embedded cluster, so that the server itself has to bring it back.
    let start = tokio::task::spawn_blocking(move || Process::start(&folder, "127.0.0.1:0", None));
    let mut server = start.await.expect("the server starts");
    let url = server.text("/database_url");
    let target = Target {
        http: Client::new(server.text("/base_url")),
        app_secret: server.text("/whatsapp/app_secret"),
        phone_number_id: server.text("/whatsapp/phone_number_id"),
    };
    let load = load::start(&target, 16, Duration::from_millis(20), 500);
    for _ in 0..rounds(3, 50) {
        tokio::time::sleep(Duration::from_millis(700)).await;
        kill_cluster(&url).await;
        let back = load.next_acknowledgement().await;
        assert!(back < Duration::from_secs(10), "it took {back:?} until a message was acknowledged again");
        assert!(server.runs(), "the server ended with its database");
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let acknowledged = load.finish().await;
    assert!(acknowledged.len() > 100, "only {} messages came through: no load", acknowledged.len());
    let pool = PgPoolOptions::new().max_connections(2).connect(&url).await.unwrap();
    load::settle(&pool).await;
    load::check(&pool, &acknowledged).await;
}

/// Kills the postmaster and all its children, by their parent's id, as a power cut of the database would.
async fn kill_cluster(url: &str) {
    let pool = PgPoolOptions::new().max_connections(1).connect(url).await.expect("the database answers");
    let file: String = sqlx::query_scalar("SELECT pg_read_file('postmaster.pid')").fetch_one(&pool).await.unwrap();
    let postmaster = file.lines().next().expect("a process id").trim().to_owned();
    let mut all = children(&postmaster);
    all.push(postmaster);
    let killed = Command::new("/bin/sh").args(["-c", "kill -9 \"$@\"", "sh"]).args(&all).status().expect("a shell");
    // A child may have ended by itself in between; the postmaster has not.
    assert!(killed.success() || all.len() > 1);
}

/// Processes whose parent this is.
fn children(parent: &str) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").expect("a Linux").filter_map(Result::ok);
    let is_child = |id: &String| {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        // The name, in parentheses, may hold spaces; the parent's id is the second field behind it.
        stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)) == Some(parent)
    };
    processes.filter_map(|entry| entry.file_name().into_string().ok()).filter(is_child).collect()
}
