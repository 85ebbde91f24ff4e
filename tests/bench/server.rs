//! The real server as a process of its own, in its sandbox.

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use sqlx::{PgPool, postgres::PgPoolOptions};

/// A running sandbox.
pub struct Server {
    process: Child,
    /// What it printed when it was ready.
    pub ready: Value,
    /// Its database.
    pub pool: PgPool,
    data: tempfile::TempDir,
}

/// The release binary, built if it is not.
pub fn binary() -> PathBuf {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let built = Command::new(cargo).args(["build", "--release", "--bin", "chatledger"]).status();
    assert!(built.is_ok_and(|status| status.success()), "the server does not build");
    let bench = std::env::current_exe().expect("this program has a path");
    let release = bench.ancestors().find(|dir| dir.file_name().is_some_and(|name| name == "release"));
    release.expect("benchmarks are built below target/release").join("chatledger")
}

impl Server {
    /// Starts one on a fresh database.
    pub async fn start() -> Self {
        Self::start_on(tempfile::tempdir().expect("a folder")).await
    }

    /// Starts one on the database in a folder.
    pub async fn start_on(data: tempfile::TempDir) -> Self {
        let (process, ready) = spawn(&data);
        let url = ready["database_url"].as_str().expect("a database").to_owned();
        let pool = PgPoolOptions::new().max_connections(8).connect(&url).await.expect("the database answers");
        Self { process, ready, pool, data }
    }

    /// Stops it and starts it again on the same data: cold caches.
    pub async fn restart(mut self) -> Self {
        self.pool.close().await;
        self.terminate();
        let (process, ready) = spawn(&self.data);
        let url = ready["database_url"].as_str().expect("a database").to_owned();
        self.pool = PgPoolOptions::new().max_connections(8).connect(&url).await.expect("the database answers");
        self.process = process;
        self.ready = ready;
        self
    }

    /// A text of what it printed.
    pub fn text(&self, pointer: &str) -> &str {
        self.ready.pointer(pointer).and_then(Value::as_str).expect("the sandbox says so")
    }

    /// Its data folder.
    pub fn data_dir(&self) -> &std::path::Path {
        self.data.path()
    }

    /// Its address.
    pub fn base_url(&self) -> &str {
        self.text("/base_url")
    }

    /// The most memory it has used so far, in MiB.
    pub fn peak_memory(&self) -> f64 {
        self.status("VmHWM:")
    }

    /// The memory that it uses now, in MiB.
    pub fn memory(&self) -> f64 {
        self.status("VmRSS:")
    }

    fn status(&self, line: &str) -> f64 {
        memory_of(self.process.id(), line)
    }

    /// Newest position of the tenant's ledger, and how many messages are stored.
    pub async fn count(&self, sql: &str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.expect("the database answers")
    }

    /// How many events the slowest read model is behind.
    pub async fn lag(&self) -> i64 {
        self.count(
            "SELECT coalesce(max(h.head_position - c.position), 0)::bigint
               FROM ledger.heads h JOIN read_models.cursors c USING (tenant_id)",
        )
        .await
    }

    /// Waits until the read models have caught up; how long it took.
    pub async fn settle(&self) -> Duration {
        let since = Instant::now();
        while self.lag().await > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        since.elapsed()
    }

    fn terminate(&mut self) {
        let _ = Command::new("/bin/sh").args(["-c", "kill \"$1\"", "sh", &self.process.id().to_string()]).status();
        let _ = self.process.wait();
    }
}

/// The most memory that a process has used so far, in MiB.
pub fn peak_memory_of(process: u32) -> f64 {
    memory_of(process, "VmHWM:")
}

fn memory_of(process: u32, line: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let value = status.lines().find_map(|text| text.strip_prefix(line)).unwrap_or("0");
    value.trim().trim_end_matches(" kB").trim().parse::<f64>().unwrap_or(0.0) / 1024.0
}

impl Drop for Server {
    fn drop(&mut self) {
        self.terminate();
    }
}

fn spawn(data: &tempfile::TempDir) -> (Child, Value) {
    let mut process = Command::new(binary())
        .args(["serve", "--sandbox", "--json", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(data.path())
        // The bars are of the inbox; WhatsApp's own limit per number would only hide them.
        .env("CHATLEDGER_WHATSAPP__RATE_PER_NUMBER", "100000")
        // All websockets of a benchmark are one user's.
        .env("CHATLEDGER_LIMITS__WEBSOCKETS_PER_USER", "0")
        .env("CHATLEDGER_SERVICE_API__SANDBOX_REQUESTS_PER_MINUTE", "0")
        .env("CHATLEDGER_LOGS__FILTER", "warn")
        .env_remove("DATABASE_URL")
        .stdout(Stdio::piped())
        .spawn()
        .expect("the server starts");
    let mut line = String::new();
    BufReader::new(process.stdout.take().expect("an output")).read_line(&mut line).expect("a line");
    let ready = serde_json::from_str(&line).expect("the sandbox prints one line of JSON");
    (process, ready)
}
