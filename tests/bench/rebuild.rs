//! All read models of a large ledger built anew, by the command as an operator gives it, against reading the same
//! rows in order and doing nothing with them.

use std::{
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use chatledger_domain::TenantId;
use chatledger_infrastructure::postgres::{Embedded, PgLedger, connect, migrate};

use super::{
    Size,
    client::{call, customer, request, send, webhook},
    seed::seed,
    server::{Server, binary, peak_memory_of},
    verify::raw_copy,
};

/// Runs it.
pub async fn run(size: Size) {
    // Of three sizes, to see that the memory it takes does not grow with the ledger.
    alone(size.of(300_000)).await;
    alone(size.of(1_000_000)).await;
    alone(size.of(3_000_000)).await;
}

async fn alone(events: usize) {
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
        let (memory, reached) = rebuild(database.url(), args);
        let took = since.elapsed();
        println!(
            "  {what}: {:.0} events/s in all, ratio {:.2}, peak memory {memory:.0} MiB, reached after {:.0} of {:.0} s",
            written as f64 / took.as_secs_f64(),
            bare.as_secs_f64() / took.as_secs_f64(),
            reached.as_secs_f64(),
            took.as_secs_f64()
        );
    }
    pool.close().await;
    database.stop().await;
}

/// Runs it: webhooks and reads while all read models are built anew, over and over, against the same without.
pub async fn live(size: Size) {
    let events = size.of(300_000);
    println!("== rebuilds beside 200 webhooks/s and 50 reads/s, {events} events ==");
    let server = Server::start_on(seeded(events).await).await;
    println!("  folded live {:.1} s after the server had started", server.settle().await.as_secs_f64());
    load(&server, "alone", 0).await;
    let without = load(&server, "without a rebuild", 20).await;
    let (stop, url) = (Arc::new(AtomicBool::new(false)), server.text("/database_url").to_owned());
    let rebuilding = std::thread::spawn({
        let stop = stop.clone();
        move || {
            let mut rebuilds = 0;
            while !stop.load(Ordering::SeqCst) {
                rebuild(&url, &["--no-compare"]);
                rebuilds += 1;
            }
            rebuilds
        }
    });
    let with = load(&server, "beside rebuilds", 20).await;
    stop.store(true, Ordering::SeqCst);
    let rebuilds = rebuilding.join().expect("the rebuilds end");
    println!("  {rebuilds} rebuilds meanwhile; p99 of ingest is {:.1} times that without (bar: 2)\n", with / without);
}

/// A folder with a ledger of so many events, that the reactors are done with: WhatsApp does not have the seed's files.
async fn seeded(events: usize) -> tempfile::TempDir {
    let data = tempfile::tempdir().expect("a folder");
    let database = Embedded::start(data.path()).await.expect("a database");
    let pool = connect(database.url(), 8).expect("a URL");
    migrate(&pool).await.expect("migrated");
    let tenant = TenantId::of_slug("seed");
    seed(&PgLedger::new(pool.clone()), tenant, events).await;
    sqlx::query(
        "INSERT INTO outbound.cursors (tenant_id, reactor, position) SELECT h.tenant_id, r.name, h.head_position
         FROM ledger.heads h, unnest($1::text[]) AS r (name)",
    )
    .bind(["whatsapp", "media", "receipts", "webhooks", "rules"])
    .execute(&pool)
    .await
    .expect("the cursors");
    pool.close().await;
    database.stop().await;
    data
}

/// So many seconds of webhooks and reads; the p99 of webhooks, in milliseconds.
async fn load(server: &Server, what: &str, seconds: usize) -> f64 {
    let seconds = seconds.max(2);
    let (secret, number) = (server.text("/whatsapp/app_secret"), server.text("/whatsapp/phone_number_id"));
    let webhooks = (0..200 * seconds)
        .map(|i| webhook(secret, &call(number, &[(customer(i % 500), format!("{}{i}", what.replace(' ', "")))])));
    let token = format!("Authorization: Token {}\r\n", server.text("/admin/token"));
    let reads = (0..50 * seconds).map(|_| request("GET", "/api/v1/chats/", &token, ""));
    let address = server.base_url().trim_start_matches("http://");
    let (ingest, reads) =
        tokio::join!(send(address, webhooks.collect(), 16, Some(200.0)), send(address, reads.collect(), 4, Some(50.0)));
    println!(
        "  {what}: webhooks p50 {:.1} ms, p99 {:.1} ms, {} failed; reads p50 {:.1} ms, p99 {:.1} ms, {} failed",
        ingest.percentile(50.0),
        ingest.percentile(99.0),
        ingest.failed,
        reads.percentile(50.0),
        reads.percentile(99.0),
        reads.failed
    );
    ingest.percentile(99.0)
}

/// Runs the command, shows what it prints: the most memory it used, in MiB, and when it came to that.
fn rebuild(url: &str, args: &[&str]) -> (f64, Duration) {
    let since = Instant::now();
    let mut command = Command::new(binary())
        .args(["projections", "rebuild", "--all"])
        .args(args)
        .env("DATABASE_URL", url)
        .stdout(Stdio::inherit())
        .stderr(Stdio::null())
        .spawn()
        .expect("the command starts");
    let (mut memory, mut reached) = (0.0_f64, Duration::ZERO);
    let status = loop {
        let peak = peak_memory_of(command.id());
        if peak > memory {
            (memory, reached) = (peak, since.elapsed());
        }
        if let Some(status) = command.try_wait().expect("the command ends") {
            break status;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    assert!(status.success(), "the rebuild ends well");
    (memory, reached)
}
