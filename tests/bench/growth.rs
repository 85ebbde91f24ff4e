//! What a send costs as its chat grows: into a chat of 100,000 events against a new chat.

use super::{
    Size,
    client::{Outcome, call, customer, request, send, webhook},
    server::Server,
};

/// Messages in a call while the long chat is made.
const BATCH: usize = 50;

/// Runs it.
pub async fn run(size: Size) {
    println!("== a send into a chat of {} events against a send into a new chat ==", size.of(100_000));
    let server = Server::start().await;
    let (secret, number) = (server.text("/whatsapp/app_secret"), server.text("/whatsapp/phone_number_id"));
    let long = customer(1);
    let calls = (0..size.of(100_000) / BATCH)
        .map(|i| {
            let messages: Vec<_> = (0..BATCH).map(|j| (long.clone(), format!("g{i}-{j}"))).collect();
            webhook(secret, &call(number, &messages))
        })
        .collect();
    send(address(&server), calls, 4, None).await;
    let rounds = size.of(1_000).max(200);
    let open = (0..rounds).map(|i| webhook(secret, &call(number, &[(customer(10 + i), format!("n{i}"))]))).collect();
    send(address(&server), open, 16, None).await;
    server.settle().await;
    // Once for the caches of both.
    sends(&server, rounds / 10, |_| long.clone()).await;
    sends(&server, rounds / 10, |i| customer(10 + i)).await;
    let into_new = sends(&server, rounds, |i| customer(10 + i)).await;
    let into_long = sends(&server, rounds, |_| long.clone()).await;
    print("into new chats", &into_new);
    print("into the long chat", &into_long);
    println!("  ratio of the medians: {:.2} (bar: 1.2)", into_long.percentile(50.0) / into_new.percentile(50.0));
    let server = server.restart().await;
    let cold = sends(&server, 1, |_| long.clone()).await;
    println!("  the first send into the long chat after a restart: {:.1} ms\n", cold.percentile(50.0));
}

fn address(server: &Server) -> &str {
    server.base_url().trim_start_matches("http://")
}

async fn sends(server: &Server, count: usize, to: impl Fn(usize) -> String) -> Outcome {
    let token = format!("Authorization: Token {}\r\n", server.text("/admin/token"));
    let requests = (0..count)
        .map(|i| {
            let body = format!(r#"{{"wa_id":"{}","type":"text","text":{{"body":"On its way, {i}."}}}}"#, to(i));
            request("POST", "/api/v1/messages/", &token, &body)
        })
        .collect();
    send(address(server), requests, 1, None).await
}

fn print(what: &str, outcome: &Outcome) {
    println!(
        "  {what}: p50 {:.2} ms, p99 {:.2} ms to WhatsApp's answer, {} failed",
        outcome.percentile(50.0),
        outcome.percentile(99.0),
        outcome.failed
    );
}
