//! R20: the server is told to stop again and again under load; nobody's request is cut off, nothing is lost.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{
    load::{self, Target, body},
    rounds,
};
use crate::harness::{
    http::{Client, sign},
    postgres::database,
    process::Process,
};

/// What the clients saw.
#[derive(Default)]
struct Seen {
    stop: AtomicBool,
    acknowledged: Mutex<HashSet<String>>,
    /// Requests on a standing connection that got no answer although the server had not said that it ends.
    cut: AtomicUsize,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r20_a_server_that_is_told_to_stop_cuts_nobody_off_and_loses_nothing() {
    let database = database().await;
    let data = tempfile::tempdir().unwrap();
    let mut server = Process::start(data.path(), "127.0.0.1:0", Some(&database.url));
    let base_url = server.text("/base_url");
    let listen = base_url.trim_start_matches("http://").to_owned();
    let target = Target {
        http: Client::new(base_url),
        app_secret: server.text("/whatsapp/app_secret"),
        phone_number_id: server.text("/whatsapp/phone_number_id"),
    };
    let seen = Arc::new(Seen::default());
    let clients: Vec<_> =
        (0..8).map(|n| tokio::spawn(client(n, listen.clone(), target.clone(), seen.clone()))).collect();
    for round in 0..rounds(3, 50) {
        tokio::time::sleep(Duration::from_millis(600 + 37 * (round as u64 % 9))).await;
        let took = tokio::task::spawn_blocking(move || server.terminate()).await.unwrap();
        assert!(took < Duration::from_secs(25), "it took {took:?} to stop");
        let (data, listen, url) = (data.path().to_owned(), listen.clone(), database.url.clone());
        let start = tokio::task::spawn_blocking(move || Process::start(&data, &listen, Some(&url)));
        server = start.await.expect("the server starts again");
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    seen.stop.store(true, Ordering::SeqCst);
    for client in clients {
        client.await.expect("a client ends");
    }
    let acknowledged = seen.acknowledged.lock().unwrap().clone();
    assert!(acknowledged.len() > 100, "only {} messages came through: no load", acknowledged.len());
    assert_eq!(seen.cut.load(Ordering::SeqCst), 0, "requests on standing connections were cut off");
    load::settle(&database.pool).await;
    load::check(&database.pool, &acknowledged).await;
}

/// Delivers message after message on one connection, on a new one where the server says so or is away.
async fn client(number: usize, address: String, target: Target, seen: Arc<Seen>) {
    let mut message = 0;
    while !seen.stop.load(Ordering::SeqCst) {
        let Ok(mut stream) = TcpStream::connect(&address).await else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let mut answered = 0;
        while !seen.stop.load(Ordering::SeqCst) {
            let id = format!("wamid.s{number}-{message}");
            match deliver(&mut stream, &target, &format!("35197{number:07}"), &id).await {
                Some((true, ends)) => {
                    seen.acknowledged.lock().unwrap().insert(id);
                    message += 1;
                    answered += 1;
                    if ends {
                        break;
                    }
                }
                // Not ready yet, or not any more: the same again.
                Some((false, ends)) if !ends => tokio::time::sleep(Duration::from_millis(20)).await,
                Some(_) => break,
                None => {
                    // A connection that was never answered may have been taken by a socket about to close.
                    seen.cut.fetch_add(usize::from(answered > 0), Ordering::SeqCst);
                    break;
                }
            }
        }
    }
    // What was under way at the end may be recorded without an acknowledgement: deliver it until it is.
    let id = format!("wamid.s{number}-{message}");
    while target.http.try_signed(&target.app_secret, body(&target, &format!("35197{number:07}"), &id)).await
        != Some(200)
    {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    seen.acknowledged.lock().unwrap().insert(id);
}

/// Whether it was acknowledged, and whether the server ends the connection; `None` without an answer.
async fn deliver(stream: &mut TcpStream, target: &Target, from: &str, id: &str) -> Option<(bool, bool)> {
    let body = body(target, from, id);
    let head = format!(
        "POST /api/v1/whatsapp/webhooks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         X-Hub-Signature-256: {}\r\nContent-Length: {}\r\n\r\n",
        sign(&target.app_secret, &body),
        body.len()
    );
    stream.write_all(&[head.as_bytes(), &body].concat()).await.ok()?;
    let mut answer = Vec::new();
    loop {
        if stream.read_buf(&mut answer).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&answer).to_ascii_lowercase();
        let Some((head, rest)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if rest.len() >= length.and_then(|length| length.parse().ok()).unwrap_or(0) {
            return Some((head.starts_with("http/1.1 200"), head.contains("connection: close")));
        }
    }
}
