//! All read models of a large ledger built anew, by the command as an operator gives it, against reading the same
//! rows in order and doing nothing with them.

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use chatledger_domain::TenantId;
use chatledger_infrastructure::postgres::{Embedded, PgLedger, connect, migrate};

use super::{
    Size,
    seed::seed,
    server::{binary, peak_memory_of},
    verify::raw_copy,
};

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
    let bare = raw_copy(&pool, tenant).await.0;
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
        memory = memory.max(peak_memory_of(command.id()));
        if let Some(status) = command.try_wait().expect("the command ends") {
            break status;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    assert!(status.success(), "the rebuild ends well");
    memory
}
