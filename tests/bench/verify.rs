//! `ledger verify` over a large ledger, against reading the same rows and doing nothing with them.

use std::time::Instant;

use chatledger_domain::TenantId;
use chatledger_infrastructure::postgres::{Embedded, PgLedger, connect, migrate};

use super::{Size, seed::seed};

/// Runs it.
pub async fn run(size: Size) {
    let events = size.of(1_000_000);
    println!("== ledger verify over {events} events ==");
    let data = tempfile::tempdir().expect("a folder");
    let database = Embedded::start(data.path()).await.expect("a database");
    let pool = connect(database.url(), 8).expect("a URL");
    migrate(&pool).await.expect("migrated");
    let since = Instant::now();
    let tenant = TenantId::of_slug("seed");
    let ledger = PgLedger::new(pool.clone());
    let written = seed(&ledger, tenant, events).await;
    println!("  seeded {written} events in {:.1} s", since.elapsed().as_secs_f64());
    pool.close().await;
    database.stop().await;
}
