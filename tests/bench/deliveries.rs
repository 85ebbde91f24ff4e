//! Outgoing webhooks: the delay from WhatsApp's call to ours, deliveries a second to 50 receivers, and what 30 sick
//! receivers cost 50 healthy ones.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use chatledger_api::bootstrap::{Config, Tools};
use chatledger_application::users::NewUser;
use chatledger_domain::{Role, TenantId};
use futures_util::{StreamExt, stream};

use super::{
    Size,
    client::{call, customer, request, send, webhook},
    receiver::{Manner, Receiver},
    receivers::Receivers,
    server::Server,
};

/// Healthy receivers of the fan-out.
const RECEIVERS: usize = 50;
/// Sick receivers of each kind.
const SICK: usize = 5;
/// Chats that messages come from.
const CHATS: usize = 1_000;

/// Runs it.
pub async fn run(size: Size) {
    delays(size).await;
    fan_out(size).await;
}

/// One receiver, at two rates.
async fn delays(size: Size) {
    println!("== delay from WhatsApp's webhook to ours, one receiver ==");
    let server = Server::start().await;
    let receivers = Receivers::start(1).await;
    register(&server, &receivers.urls, 0).await;
    deliver(&server, &receivers, "warm", 500, 200.0, 1).await;
    for (rate, bar) in [(200.0, " (bar: p50 50 ms, p99 250 ms)"), (1_000.0, "")] {
        calm(&server).await;
        let count = size.of((rate * 20.0) as usize);
        let delays = deliver(&server, &receivers, &format!("r{rate}-"), count, rate, 1).await;
        println!("  at {rate:.0}/s{bar}: {}", shown(&delays, count));
    }
    let raw = raw(&receivers, 2_000, 1).await;
    println!("  comparator: the same body sent to the receiver directly, one after the other: {raw:.0}/s\n");
}

/// Fifty receivers of everything, then with sick ones beside.
async fn fan_out(size: Size) {
    println!("== {RECEIVERS} receivers of every message ==");
    let server = Server::start().await;
    let receivers = Receivers::start(RECEIVERS).await;
    register(&server, &receivers.urls, 0).await;
    deliver(&server, &receivers, "warm", 200, 20.0, RECEIVERS).await;

    let count = size.of(2_000);
    let since = Instant::now();
    let burst = deliver(&server, &receivers, "burst", count, 1e9, RECEIVERS).await;
    let rate = burst.len() as f64 / since.elapsed().as_secs_f64();
    let raw = raw(&receivers, 20_000, 64).await;
    println!("  {count} messages at once: {rate:.0} deliveries/s");
    println!("  comparator: bodies sent to the same receivers directly, 64 at a time: {raw:.0}/s");
    println!("  ratio: {:.2}", rate / raw);

    println!("  the server's peak memory: {:.0} MiB", server.peak_memory());
    calm(&server).await;
    let count = size.of(1_200);
    let healthy = deliver(&server, &receivers, "healthy", count, 20.0, RECEIVERS).await;
    let before = server.memory();
    println!("  at 20 messages/s, {} deliveries/s: {}", 20 * RECEIVERS, shown(&healthy, count * RECEIVERS));
    let sick = sick_receivers().await;
    let urls: Vec<String> = sick.iter().map(|receiver| receiver.url.clone()).collect();
    register(&server, &urls, RECEIVERS).await;
    calm(&server).await;
    let beside = deliver(&server, &receivers, "beside", count, 20.0, RECEIVERS).await;
    let grown = server.memory() - before;
    println!("  the same beside {} sick receivers: {}", sick.len(), shown(&beside, count * RECEIVERS));
    let added = percentile(&beside, 99.0) - percentile(&healthy, 99.0);
    println!("  p99 grew by {added:.1} ms (bar: 250 ms), the server's memory by {grown:.0} MiB (bar: 100 MiB)\n");
}

/// Waits until everything that follows from what was delivered is done: marks recorded, read models in step.
async fn calm(server: &Server) {
    while server.count("SELECT count(*) FROM outbound.marks").await > 0 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    server.settle().await;
}

/// Brings messages at a rate; how long each took to each receiver.
async fn deliver(
    server: &Server,
    receivers: &Receivers,
    name: &str,
    count: usize,
    rate: f64,
    each: usize,
) -> Vec<Duration> {
    receivers.forget();
    let (secret, number) = (server.text("/whatsapp/app_secret"), server.text("/whatsapp/phone_number_id"));
    let message = |i: usize| (customer(i % CHATS), format!("{name}{i}"));
    let calls: Vec<Vec<u8>> = (0..count).map(|i| webhook(secret, &call(number, &[message(i)]))).collect();
    // The load generator keeps to its schedule; a call that starts late counts from when it should have.
    let since = Instant::now();
    let due = |i: usize| since + Duration::from_secs_f64(i as f64 / rate);
    let sent: HashMap<String, Instant> = (0..count).map(|i| (message(i).1, due(i))).collect();
    let outcome = send(server.base_url().trim_start_matches("http://"), calls, 64, Some(rate)).await;
    assert_eq!(outcome.failed, 0, "webhooks are refused");
    if !receivers.wait_for(count * each, Duration::from_secs(120)).await {
        println!("  ONLY {} of {} deliveries came within two minutes", receivers.count(), count * each);
    }
    receivers.delays(&sent)
}

fn percentile(sorted: &[Duration], percent: f64) -> f64 {
    let index = ((sorted.len() as f64 - 1.0) * percent / 100.0).round() as usize;
    sorted.get(index).map_or(f64::NAN, |time| time.as_secs_f64() * 1_000.0)
}

fn shown(delays: &[Duration], expected: usize) -> String {
    let (p50, p99, most) = (percentile(delays, 50.0), percentile(delays, 99.0), percentile(delays, 100.0));
    format!("p50 {p50:.1} ms, p99 {p99:.1} ms, most {most:.0} ms, {} of {expected} delivered", delays.len())
}

/// A user with a webhook for each address.
async fn register(server: &Server, urls: &[String], from: usize) {
    let mut config = Config::load(None).expect("the defaults are valid");
    config.database_url = Some(server.text("/database_url").to_owned());
    config.max_connections = 4;
    config.data_dir = server.data_dir().to_string_lossy().into_owned();
    let tools = Tools::open_with_key(config).await.expect("the tools open beside the server");
    let tenant = TenantId::of_slug("demo");
    let group = tools.built_in_group(tenant, Role::User).await.expect("an answer").expect("a built-in group");
    for (i, url) in urls.iter().enumerate() {
        let username = format!("program{}", from + i);
        let new = NewUser {
            username: username.clone(),
            first_name: String::new(),
            last_name: String::new(),
            email: String::new(),
            role: Role::User,
            password: format!("{username} and a password"),
        };
        let (_, token) = tools.application.create_active_user(tenant, group, new).await.expect("a user");
        let headers = format!("Authorization: Token {token}\r\n");
        let body = format!(r#"{{"url":"{url}"}}"#);
        let registration = vec![request("POST", "/api/v1/webhooks/waba/", &headers, &body)];
        let outcome = send(server.base_url().trim_start_matches("http://"), registration, 1, None).await;
        assert_eq!(outcome.failed, 0, "a webhook is refused");
    }
    tools.close().await;
}

async fn sick_receivers() -> Vec<Receiver> {
    let mut sick = Vec::new();
    for manner in [Manner::Silent, Manner::Drip, Manner::Endless, Manner::Bomb, Manner::Reset, Manner::Garbage] {
        for _ in 0..SICK {
            sick.push(Receiver::with(manner.clone()).await);
        }
    }
    sick
}

/// The comparator: calls of the usual size straight to the receivers.
async fn raw(receivers: &Receivers, count: usize, at_once: usize) -> f64 {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let body: Arc<str> = format!(r#"{{"messages":[{{"text":"{}"}}]}}"#, "x".repeat(1_300)).into();
    let since = Instant::now();
    stream::iter(0..count)
        .map(|i| {
            let post = client.post(&receivers.urls[i % receivers.urls.len()]).body(body.to_string());
            async move { post.send().await.expect("a receiver answers").status() }
        })
        .buffer_unordered(at_once)
        .for_each(|_| std::future::ready(()))
        .await;
    count as f64 / since.elapsed().as_secs_f64()
}
