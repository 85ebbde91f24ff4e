//! The private cluster: kept, recovered, stopped with us, and never run unsafely.

use std::{fs::Permissions, os::unix::fs::PermissionsExt, path::Path, process::Command, time::Duration};

use chatledger_infrastructure::postgres::{Embedded, EmbeddedError, SettingsError, check_settings, connect};
use sqlx::{Connection, Executor, PgConnection};
use tempfile::TempDir;

use crate::harness::postgres::database;

async fn number(url: &str) -> i32 {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::query_scalar("SELECT n FROM kept").fetch_one(&mut connection).await.unwrap()
}

fn postmaster(cluster: &Embedded) -> String {
    let file = std::fs::read_to_string(cluster.folder().join("cluster/postmaster.pid")).unwrap();
    file.lines().next().unwrap().to_owned()
}

fn kill(signal: &str, pid: &str) {
    assert!(Command::new("/bin/sh").args(["-c", &format!("kill {signal} {pid}")]).status().unwrap().success());
}

/// A data folder that, where we are root, only root may enter: the harder case. Removes the cluster wherever it is.
struct DataDir(TempDir);

impl DataDir {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
        Self(folder)
    }
}

impl Drop for DataDir {
    fn drop(&mut self) {
        if let Ok(elsewhere) = std::fs::read_to_string(self.0.path().join("postgres.path")) {
            let _ = std::fs::remove_dir_all(elsewhere.trim());
        }
    }
}

#[tokio::test]
async fn a_killed_cluster_starts_again_with_everything_it_had_confirmed() {
    let data = DataDir::new();
    let cluster = Embedded::start(data.0.path()).await.unwrap();
    let first = cluster.folder().to_owned();
    let mut connection = PgConnection::connect(cluster.url()).await.unwrap();
    connection.execute("CREATE TABLE kept (n int); INSERT INTO kept VALUES (42)").await.unwrap();
    assert_eq!(Embedded::running(data.0.path()).await.as_deref(), Some(cluster.url()));
    let taken = Embedded::start(data.0.path()).await.err().unwrap();
    assert!(matches!(&taken, EmbeddedError::InUse(_)), "{taken}");

    kill("-9", &postmaster(&cluster));
    drop(cluster);
    let cluster = Embedded::start(data.0.path()).await.unwrap();
    assert_eq!(cluster.folder(), first);
    assert_eq!(number(cluster.url()).await, 42);
    check_settings(&connect(cluster.url(), 1).unwrap()).await.unwrap();
    cluster.stop().await;
    assert!(Embedded::running(data.0.path()).await.is_none());

    // A file that a crash of the machine left, whose number belongs to another process by now: ours.
    let stale = format!("{}\n", std::process::id());
    std::fs::write(first.join("cluster/postmaster.pid"), stale).unwrap();
    let cluster = Embedded::start(data.0.path()).await.unwrap();
    assert_eq!(number(cluster.url()).await, 42);
    cluster.stop().await;
}

#[tokio::test]
async fn a_cluster_that_is_killed_under_a_running_server_comes_back_at_the_same_place() {
    let data = DataDir::new();
    let cluster = Embedded::start(data.0.path()).await.unwrap();
    let pool = connect(cluster.url(), 2).unwrap();
    pool.execute("CREATE TABLE kept (n int); INSERT INTO kept VALUES (42)").await.unwrap();
    let killed = postmaster(&cluster);
    kill("-9", &killed);
    let kept = || sqlx::query_scalar::<_, i32>("SELECT n FROM kept").fetch_one(&pool);
    let back = async {
        // Another postmaster, and what the dead one had: the pool may never notice that one died in between.
        let file = cluster.folder().join("cluster/postmaster.pid");
        let successor = || std::fs::read_to_string(&file).is_ok_and(|text| !text.starts_with(&format!("{killed}\n")));
        while !successor() || kept().await.ok() != Some(42) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), back).await.expect("it comes back");
    cluster.stop().await;
}

#[tokio::test]
async fn an_orphan_is_stopped_before_the_cluster_starts_again() {
    let data = DataDir::new();
    let cluster = Embedded::start(data.0.path()).await.unwrap();
    let orphan = postmaster(&cluster);
    // The watch dies first, so nobody tells Postgres to stop.
    let watch = std::fs::read_to_string(format!("/proc/{orphan}/stat")).unwrap();
    kill("-9", watch.rsplit(')').next().unwrap().split_whitespace().nth(1).unwrap());
    tokio::time::sleep(Duration::from_millis(100)).await;
    drop(cluster);
    let cluster = Embedded::start(data.0.path()).await.unwrap();
    assert_ne!(postmaster(&cluster), orphan);
    cluster.stop().await;
}

#[tokio::test]
async fn without_postgres_the_error_says_what_to_install() {
    let (data, empty) = (DataDir::new(), TempDir::new().unwrap());
    let error = Embedded::start_with(data.0.path(), Some(empty.path())).await.err().unwrap();
    let text = error.to_string();
    for part in [&*empty.path().to_string_lossy(), "PostgreSQL 14", "apt install postgresql", "DATABASE_URL"] {
        assert!(text.contains(part), "{text}");
    }
    assert!(!Path::new(&data.0.path().join("postgres/cluster")).exists());
}

#[tokio::test]
async fn a_database_that_may_lose_what_it_confirmed_is_refused() {
    let database = database().await;
    check_settings(&database.pool).await.unwrap();
    let name = database.url.rsplit('/').next().unwrap();
    let change = format!("ALTER DATABASE {name} SET synchronous_commit = off");
    database.pool.execute(&*change).await.unwrap();
    let error = check_settings(&connect(&database.url, 1).unwrap()).await.unwrap_err();
    assert!(matches!(&error, SettingsError::Unsafe(reasons) if reasons.len() == 1), "{error}");
    assert!(error.to_string().contains("synchronous_commit is off"), "{error}");
}
