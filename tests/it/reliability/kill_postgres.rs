//! R2: the whole of Postgres is killed again and again under load; the server lives on and loses nothing.

use std::time::Duration;

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
    let children = std::process::Command::new("pgrep").args(["-P", &postmaster]).output().expect("pgrep runs");
    let mut all = vec![postmaster];
    all.extend(String::from_utf8_lossy(&children.stdout).lines().map(str::to_owned));
    let killed = std::process::Command::new("kill").arg("-9").args(&all).status().expect("kill runs");
    assert!(killed.success() || all.len() > 1);
}
