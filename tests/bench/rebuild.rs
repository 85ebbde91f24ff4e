//! All read models of a large ledger built anew, by the command as an operator gives it, against reading the same
//! rows in order and doing nothing with them.

use std::{
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use chatledger_domain::TenantId;
use chatledger_infrastructure::postgres::{Embedded, PgLedger, Pool, connect, migrate};
use futures_util::TryStreamExt;

use super::{Size, seed::seed, server::binary};

/// Runs it.
pub async fn run(size: Size) {
    let events = size.of(1_000_000);
    println!("== rebuild of all read models over {events} events ==");
    let data = tempfile::tempdir().expect("a folder");
    let database = Embedded::start(data.path()).await.expect("a database");
    let pool = connect(database.url(), 8).expect("a URL");
    migrate(&pool).await.expect("migrated");
    let since = Instant::now();
    let tenant = TenantId::of_slug("seed");
    let written = seed(&PgLedger::new(pool.clone()), tenant, events).await;
    println!("  seeded {written} events in {:.1} s", since.elapsed().as_secs_f64());
    let bare = copied(&pool, tenant).await;
    println!("  comparator: COPY of the rows in order: {:.0} events/s", written as f64 / bare.as_secs_f64());
    for (what, args) in [("from nothing", &["--no-compare"][..]), ("again, and compared", &["--if-equal"])] {
        let since = Instant::now();
        let memory = rebuild(database.url(), args);
        let took = since.elapsed();
        println!(
            "  {what}: {:.0} events/s in all, ratio {:.2}, peak memory {memory:.0} MiB",
            written as f64 / took.as_secs_f64(),
            bare.as_secs_f64() / took.as_secs_f64()
        );
    }
    pool.close().await;
    database.stop().await;
}

/// How long it takes to read what a rebuild reads.
pub async fn copied(pool: &Pool, tenant: TenantId) -> Duration {
    let mut db = pool.acquire().await.expect("a connection").detach();
    sqlx::query("SET statement_timeout = 0").execute(&mut db).await.expect("a setting");
    let since = Instant::now();
    let sql = format!(
        "COPY (SELECT * FROM ledger.events WHERE tenant_id = '{}' ORDER BY position) TO STDOUT (FORMAT binary)",
        tenant.0
    );
    let mut rows = db.copy_out_raw(&sql).await.expect("a copy");
    while rows.try_next().await.expect("rows").is_some() {}
    since.elapsed()
}

/// Runs the command, shows what it prints: the most memory it used, in MiB.
fn rebuild(url: &str, args: &[&str]) -> f64 {
    let mut command = Command::new(binary())
        .args(["projections", "rebuild", "--all"])
        .args(args)
        .env("DATABASE_URL", url)
        .stdout(Stdio::inherit())
        .stderr(Stdio::null())
        .spawn()
        .expect("the command starts");
    let mut memory = 0.0_f64;
    let status = loop {
        memory = memory.max(peak(&command));
        if let Some(status) = command.try_wait().expect("the command ends") {
            break status;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    assert!(status.success(), "the rebuild ends well");
    memory
}

fn peak(process: &Child) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap_or_default();
    let value = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0");
    value.trim().trim_end_matches(" kB").trim().parse::<f64>().unwrap_or(0.0) / 1024.0
}
