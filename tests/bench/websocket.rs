//! Websockets: what idle ones cost the server in memory, and how long it takes from a webhook to a frame.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::{net::TcpStream, task::JoinSet};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

use super::{Size, client, server::Server};

/// Idle connections; the bar is 200 MiB for all of them.
const IDLE: usize = 5_000;
/// Opened at once.
const AT_ONCE: usize = 50;
/// Connections that hear of every message.
const LISTENERS: usize = 50;
/// Messages a second.
const RATE: f64 = 200.0;

type Socket = WebSocketStream<TcpStream>;

/// Runs it.
pub async fn run(size: Size) {
    let server = Server::start().await;
    idle(&server, size.of(IDLE)).await;
    delay(&server, size.of(6_000)).await;
}

async fn idle(server: &Server, wanted: usize) {
    let Some(limit) = open_files() else { return println!("websocket: the limit of open files is unknown") };
    // Each takes one here, and one in the server, which has the same limit.
    let count = wanted.min(limit.saturating_sub(200));
    if count < wanted {
        println!("websocket: at most {limit} files may be open; for {wanted} connections run under `ulimit -n 20000`");
    }
    let before = server.memory();
    let (mut sockets, mut opening) = (Vec::with_capacity(count), JoinSet::new());
    let since = Instant::now();
    for _ in 0..count {
        if opening.len() >= AT_ONCE {
            sockets.extend(opening.join_next().await.map(|socket| socket.expect("a socket")));
        }
        opening.spawn(open(server.base_url().to_owned(), server.text("/admin/token").to_owned()));
    }
    sockets.extend(opening.join_all().await);
    let opened = since.elapsed();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let after = server.memory();
    println!(
        "websocket: {} idle connections, opened in {:.1} s: server {before:.0} MiB before, {after:.0} MiB with them \
         (bar: 200 MiB), {:.1} KiB each",
        sockets.len(),
        opened.as_secs_f64(),
        (after - before) * 1_024.0 / sockets.len().max(1) as f64,
    );
}

async fn delay(server: &Server, count: usize) {
    let sent: Arc<Mutex<HashMap<String, Instant>>> = Arc::default();
    let mut listening = JoinSet::new();
    for _ in 0..LISTENERS {
        let mut socket = open(server.base_url().to_owned(), server.text("/admin/token").to_owned()).await;
        let sent = sent.clone();
        listening.spawn(async move {
            let mut delays = Vec::with_capacity(count);
            while delays.len() < count {
                let heard = tokio::time::timeout(Duration::from_secs(10), socket.next()).await;
                let Ok(Some(Ok(message))) = heard else { break };
                let Ok(text) = message.into_text() else { continue };
                let since = id(&text).and_then(|id| sent.lock().expect("no panic").get(id).copied());
                delays.extend(since.map(|since| since.elapsed()));
            }
            delays
        });
    }
    let address = server.base_url().trim_start_matches("http://").to_owned();
    let (secret, number) = (server.text("/whatsapp/app_secret"), server.text("/whatsapp/phone_number_id"));
    let mut stream = TcpStream::connect(&address).await.expect("the server listens");
    let (mut read, mut write) = stream.split();
    let sending = async {
        let since = Instant::now();
        for n in 0..count {
            let name = format!("ws-{n}");
            let body = client::call(number, &[(client::customer(n % 500), name.clone())]);
            let request = client::webhook(secret, &body);
            tokio::time::sleep_until((since + Duration::from_secs_f64(n as f64 / RATE)).into()).await;
            sent.lock().expect("no panic").insert(name, Instant::now());
            tokio::io::AsyncWriteExt::write_all(&mut write, &request).await.expect("sent");
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    };
    let draining = async {
        let mut buffer = vec![0; 64 * 1_024];
        while tokio::io::AsyncReadExt::read(&mut read, &mut buffer).await.is_ok_and(|read| read > 0) {}
    };
    tokio::select! { () = sending => {}, () = draining => {} }
    let mut delays: Vec<Duration> = listening.join_all().await.into_iter().flatten().collect();
    delays.sort_unstable();
    let at = |percent: usize| {
        let index = delays.len().saturating_sub(1) * percent / 100;
        delays.get(index).map_or(0.0, |delay| delay.as_secs_f64() * 1_000.0)
    };
    println!(
        "websocket: webhook in to frame out at {RATE:.0}/s, {LISTENERS} connections: p50 {:.1} ms, p99 {:.1} ms; {} of {} frames",
        at(50),
        at(99),
        delays.len(),
        count * LISTENERS,
    );
}

/// The message that a frame tells of; WhatsApp's id without what [`client::call`] puts before it.
fn id(frame: &str) -> Option<&str> {
    let (_, rest) = frame.split_once("\"id\":\"wamid.")?;
    rest.split('"').next()
}

async fn open(base_url: String, token: String) -> Socket {
    let address = base_url.trim_start_matches("http://");
    let stream = TcpStream::connect(address).await.expect("the server listens");
    let (mut socket, _) = client_async(format!("ws://{address}/ws/"), stream).await.expect("an upgrade");
    let frame = json!({"token": token, "dialect": "classic"}).to_string();
    socket.send(Message::text(frame)).await.expect("sent");
    let answer = socket.next().await.expect("an answer").expect("a frame");
    assert!(answer.to_text().is_ok_and(|text| text.contains("success")), "{answer:?}");
    socket
}

/// How many files this process may open.
fn open_files() -> Option<usize> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find(|line| line.starts_with("Max open files"))?;
    line.split_whitespace().nth(3)?.parse().ok()
}
