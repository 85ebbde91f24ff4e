//! Inbound webhooks, one message each: known customers, new customers, and a sustained rate with its lag.

use std::time::Duration;

use super::{
    Size,
    client::{Outcome, call, customer, send, webhook},
    server::Server,
    stock,
};

/// Connections that WhatsApp keeps at once.
const CONNECTIONS: usize = 64;

/// Runs it.
pub async fn run(size: Size) {
    println!("== inbound webhooks, 1 message each, signed, {CONNECTIONS} connections: 200 and durable ==");
    let server = Server::start().await;
    let known = size.of(2_000);
    let warm_up = requests(&server, known, |i| (customer(i), format!("warm{i}")));
    send(address(&server), warm_up, CONNECTIONS, None).await;
    server.settle().await;

    let calls = requests(&server, size.of(60_000), |i| (customer(i % known), format!("known{i}")));
    let outcome = send(address(&server), calls, CONNECTIONS, None).await;
    print("known customers (bar: 8,000/s, p99 100 ms)", &outcome);
    println!("    read models caught up {:.2} s after", server.settle().await.as_secs_f64());
    let ours = outcome.rate();

    let calls = requests(&server, size.of(30_000), |i| (customer(1_000_000 + i), format!("new{i}")));
    let outcome = send(address(&server), calls, CONNECTIONS, None).await;
    print("new customers (bar: 5,000/s)", &outcome);
    server.settle().await;

    let calls = requests(&server, size.of(50_000), |i| (customer(i % known), format!("steady{i}")));
    let pool = server.pool.clone();
    let watch = tokio::spawn(async move { stock::worst_lag_seconds(pool).await });
    let outcome = send(address(&server), calls, CONNECTIONS, Some(3_300.0)).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    watch.abort();
    print("sustained 3,300/s", &outcome);
    println!("    read models behind at most {:.2} s (bar: 1 s)", stock::take_worst_lag());

    let stored = server.count("SELECT count(*) FROM read_models.messages").await;
    let events = server.count("SELECT count(*) FROM ledger.events WHERE event_type = 'MessageReceived'").await;
    println!("    {events} messages in the ledger, {stored} in the read model");
    println!("    the server's peak memory: {:.0} MiB (bar: 100 MiB)", server.peak_memory());

    let theirs = stock::commands_per_second(&server, size.of(6_000)).await;
    println!("  comparator: stock cqrs-es + postgres-es, {CONNECTIONS} tasks, without HTTP: {theirs:.0} commands/s");
    println!("  ratio: {:.1} (bar: 8)\n", ours / theirs);
}

fn address(server: &Server) -> &str {
    server.base_url().trim_start_matches("http://")
}

fn requests(server: &Server, count: usize, message: impl Fn(usize) -> (String, String)) -> Vec<Vec<u8>> {
    let (secret, number) = (server.text("/whatsapp/app_secret"), server.text("/whatsapp/phone_number_id"));
    (0..count).map(|i| webhook(secret, &call(number, &[message(i)]))).collect()
}

fn print(what: &str, outcome: &Outcome) {
    println!(
        "  {what}: {:.0}/s, p50 {:.1} ms, p99 {:.1} ms, {} failed",
        outcome.rate(),
        outcome.percentile(50.0),
        outcome.percentile(99.0),
        outcome.failed
    );
}
