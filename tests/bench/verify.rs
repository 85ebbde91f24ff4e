//! `ledger verify` over a large ledger, against reading the same rows in the same order and doing nothing with them.

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use chatledger_domain::TenantId;
use chatledger_infrastructure::postgres::{Embedded, PgLedger, connect, migrate};
use futures_util::TryStreamExt;
use sqlx::{Executor, PgConnection, PgPool};

use super::{
    Size,
    seed::seed,
    server::{binary, peak_memory_of},
};

/// How often each is measured; the best counts.
const ROUNDS: usize = 3;

/// Runs it.
pub async fn run(size: Size) {
    let events = size.of(1_000_000);
    println!("== ledger verify over {events} events of a mixed ledger ==");
    let program = binary();
    let data = tempfile::tempdir().expect("a folder");
    let database = Embedded::start(data.path()).await.expect("a database");
    let pool = connect(database.url(), 8).expect("a URL");
    migrate(&pool).await.expect("migrated");
    let (since, tenant) = (Instant::now(), TenantId::of_slug("seed"));
    let written = seed(&PgLedger::new(pool.clone()), tenant, events).await;
    println!("  {written} events made in {:.1} s", since.elapsed().as_secs_f64());
    describe(&pool).await;

    let (mut verified, mut copied, mut memory) = (Duration::MAX, Duration::MAX, 0.0_f64);
    // By turns, so that a busy machine is busy for both.
    for _ in 0..ROUNDS {
        let (took, bytes) = raw_copy(&pool, tenant).await;
        copied = copied.min(took);
        if copied == took {
            println!(
                "  comparator: raw ordered COPY, one connection: {} MiB in {:.2} s",
                bytes >> 20,
                took.as_secs_f64()
            );
        }
        let (took, peak) = command(&program, database.url());
        verified = verified.min(took);
        memory = memory.max(peak);
    }
    let rate = |took: Duration| written as f64 / took.as_secs_f64();
    println!("  {:.0} events/s, the command's start included (bar: 200,000)", rate(verified));
    println!("  comparator: {:.0} rows/s", rate(copied));
    println!("  ratio: {:.2}", rate(verified) / rate(copied));
    println!("  the command's peak memory: {memory:.0} MiB\n");
    pool.close().await;
    database.stop().await;
}

/// A connection whose statements may take as long as they take.
async fn patient(pool: &PgPool) -> PgConnection {
    let mut connection = pool.acquire().await.expect("a connection").detach();
    connection.execute("SET statement_timeout = 0").await.expect("set");
    connection
}

/// What the ledger is made of.
async fn describe(pool: &PgPool) {
    let kinds: Vec<(String, i64, i64)> = sqlx::query_as(
        "SELECT event_type, count(*), avg(length(payload::text) + length(metadata::text))::bigint
           FROM ledger.events GROUP BY 1 ORDER BY 2 DESC",
    )
    .fetch_all(&mut patient(pool).await)
    .await
    .expect("the database answers");
    let kinds: Vec<String> = kinds.iter().map(|(kind, count, bytes)| format!("{kind} {count} ({bytes} B)")).collect();
    println!("  {}", kinds.join(", "));
}

/// Reads the rows in order and drops them; how long it took, and how many bytes that were.
pub async fn raw_copy(pool: &PgPool, tenant: TenantId) -> (Duration, u64) {
    let mut connection = patient(pool).await;
    let since = Instant::now();
    let copy = format!(
        "COPY (SELECT * FROM ledger.events WHERE tenant_id = '{tenant}' ORDER BY position) TO STDOUT (FORMAT binary)"
    );
    let mut rows = connection.copy_out_raw(&copy).await.expect("the database answers");
    let mut bytes = 0;
    while let Some(row) = rows.try_next().await.expect("the database answers") {
        bytes += row.len() as u64;
    }
    (since.elapsed(), bytes)
}

/// The real command on this database; how long it took, and the most memory that it used, in MiB.
fn command(program: &std::path::Path, url: &str) -> (Duration, f64) {
    let since = Instant::now();
    let mut process = Command::new(program)
        .args(["ledger", "verify", "--json"])
        .env("DATABASE_URL", url)
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .expect("the command starts");
    let mut memory = 0.0_f64;
    let status = loop {
        memory = memory.max(peak_memory_of(process.id()));
        match process.try_wait().expect("a process") {
            Some(status) => break status,
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    assert!(status.success(), "the ledger is in order");
    (since.elapsed(), memory)
}
