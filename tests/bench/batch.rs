//! Inbound webhooks in batches of 50, with the read models live.

use std::time::Instant;

use sqlx::Executor;

use super::{
    Size,
    client::{call, customer, send, webhook},
    server::Server,
};

/// Messages in a call.
const BATCH: usize = 50;

/// Runs it.
pub async fn run(size: Size) {
    println!("== inbound webhooks, {BATCH} messages each, signed, 16 connections, read models live ==");
    let server = Server::start().await;
    let (secret, number) = (server.text("/whatsapp/app_secret"), server.text("/whatsapp/phone_number_id"));
    let customers = 5_000;
    let calls: Vec<Vec<u8>> = (0..size.of(4_000))
        .map(|i| {
            let messages: Vec<_> =
                (0..BATCH).map(|j| (customer((i * BATCH + j) % customers), format!("b{i}-{j}"))).collect();
            webhook(secret, &call(number, &messages))
        })
        .collect();
    let messages = calls.len() * BATCH;
    let since = Instant::now();
    let outcome = send(server.base_url().trim_start_matches("http://"), calls, 16, None).await;
    let durable = messages as f64 / outcome.elapsed.as_secs_f64();
    let behind = server.lag().await;
    let drain = server.settle().await;
    let drained = messages as f64 / since.elapsed().as_secs_f64();
    println!(
        "  {durable:.0} messages/s durable (bar: 18,000), p50 {:.1} ms, p99 {:.1} ms, {} failed",
        outcome.percentile(50.0),
        outcome.percentile(99.0),
        outcome.failed
    );
    println!(
        "  read models: {behind} events behind at the end, caught up {:.2} s later; {drained:.0} messages/s \
         from the first call to the last row (bar: 12,000)",
        drain.as_secs_f64()
    );
    println!("  the server's peak memory: {:.0} MiB (bar: 100 MiB)", server.peak_memory());
    let raw = raw_insert(&server, messages).await;
    println!("  comparator: raw unnest insert of the same rows, one connection: {raw:.0} rows/s");
    println!("  ratio: {:.2} (bar: 0.25)\n", durable / raw);
}

/// The same events copied into a table of the same columns and indexes, 2,500 a statement, read beforehand.
async fn raw_insert(server: &Server, count: usize) -> f64 {
    let pool = &server.pool;
    for sql in [
        "DROP TABLE IF EXISTS raw_events",
        "CREATE TABLE raw_events (LIKE ledger.events INCLUDING DEFAULTS INCLUDING INDEXES)",
    ] {
        pool.execute(sql).await.expect("the table is made");
    }
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT tenant_id, position, aggregate_type, aggregate_id, sequence, event_type, payload::text, metadata::text,
                idempotency_key, occurred_at, payload_hash, hash
           FROM ledger.events WHERE event_type = 'MessageReceived' ORDER BY position LIMIT $1",
    )
    .bind(i64::try_from(count).unwrap_or(i64::MAX))
    .fetch_all(pool)
    .await
    .expect("the ledger is read");
    let since = Instant::now();
    for page in rows.chunks(2_500) {
        sqlx::query(
            "INSERT INTO raw_events (tenant_id, position, aggregate_type, aggregate_id, sequence, event_type,
               event_version, payload, metadata, idempotency_key, occurred_at, recorded_at, payload_hash, hash)
             SELECT t, p, at, ai, s, et, '1', pl::json, md::json, k, o, o, ph, h
               FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[],
                 $8::text[], $9::text[], $10::timestamptz[], $11::bytea[], $12::bytea[])
                 AS u(t, p, at, ai, s, et, pl, md, k, o, ph, h)",
        )
        .bind(page.iter().map(|r| r.0).collect::<Vec<_>>())
        .bind(page.iter().map(|r| r.1).collect::<Vec<_>>())
        .bind(page.iter().map(|r| r.2.clone()).collect::<Vec<_>>())
        .bind(page.iter().map(|r| r.3.clone()).collect::<Vec<_>>())
        .bind(page.iter().map(|r| r.4).collect::<Vec<_>>())
        .bind(page.iter().map(|r| r.5.clone()).collect::<Vec<_>>())
        .bind(page.iter().map(|r| r.6.clone()).collect::<Vec<_>>())
        .bind(page.iter().map(|r| r.7.clone()).collect::<Vec<_>>())
        .bind(page.iter().map(|r| r.8.clone()).collect::<Vec<_>>())
        .bind(page.iter().map(|r| r.9).collect::<Vec<_>>())
        .bind(page.iter().map(|r| r.10.clone()).collect::<Vec<_>>())
        .bind(page.iter().map(|r| r.11.clone()).collect::<Vec<_>>())
        .execute(pool)
        .await
        .expect("the rows are written");
    }
    rows.len() as f64 / since.elapsed().as_secs_f64()
}

type Row = (
    uuid::Uuid,
    i64,
    String,
    String,
    i64,
    String,
    String,
    String,
    Option<String>,
    chrono::DateTime<chrono::Utc>,
    Vec<u8>,
    Vec<u8>,
);
