//! How connections live and end: pings, limits, slow clients, a server that stops (R-WS-8).

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use serde_json::json;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use super::{Heard, LONG, RUI, Socket};
use crate::harness::inbox::{Inbox, contact, now, text_message};

#[tokio::test]
async fn r_ws_8_clients_are_asked_whether_they_are_there() {
    let inbox = Inbox::start_with(|config| config.websocket_ping_seconds = 1).await;
    let mut socket = Socket::of(&inbox, &inbox.admin).await;
    // Reading answers pings: it stays for as long as it reads.
    let since = Instant::now();
    let mut pings = 0;
    while since.elapsed() < Duration::from_millis(3_500) {
        if let Ok(Some(Ok(Message::Ping(_)))) = timeout(Duration::from_millis(500), socket.stream.next()).await {
            pings += 1;
        }
    }
    assert!((2..=4).contains(&pings), "{pings}");
    // One that does not answer is gone.
    let deaf = Socket::of(&inbox, &inbox.agent).await;
    tokio::time::sleep(Duration::from_millis(3_000)).await;
    let mut raw = deaf.stream.into_inner();
    let mut bytes = Vec::new();
    let ended = timeout(LONG, tokio::io::AsyncReadExt::read_to_end(&mut raw, &mut bytes)).await;
    assert!(ended.is_ok(), "the connection is still open");
}

#[tokio::test]
async fn r_ws_8_a_server_that_stops_says_good_bye_with_1001() {
    let inbox = Inbox::start().await;
    let mut known = Socket::of(&inbox, &inbox.admin).await;
    let mut unknown = Socket::open(&inbox).await;
    let since = Instant::now();
    let stop = tokio::task::spawn_blocking(move || drop(inbox));
    assert_eq!(known.hear().await, Heard::Closed(1001));
    assert_eq!(unknown.hear().await, Heard::Closed(1001));
    drop((known, unknown));
    stop.await.expect("stopped");
    assert!(since.elapsed() < Duration::from_secs(8), "{:?}", since.elapsed());
}

#[tokio::test]
async fn r_ws_8_a_slow_client_is_let_go_with_1013_and_costs_nobody_else() {
    let inbox = Inbox::start().await;
    let narrow = Socket::try_open_narrow(&inbox.http.base_url, "/ws/", &[], Some(4_096)).await.expect("an upgrade");
    let mut slow = narrow.let_in(&json!({"token": inbox.admin.token})).await;
    let mut fast = Socket::of(&inbox, &inbox.agent).await;
    // 12 MB and more: over what the sockets of this machine hold, and a mebibyte.
    let (calls, each) = (100, 10);
    let reader = tokio::spawn(async move {
        let mut heard = 0;
        while heard < calls * each {
            heard += fast.texts().await.len();
        }
        (fast, heard)
    });
    let body = "x".repeat(4_000);
    for call in 0..calls {
        let message = |n: usize| text_message(RUI, &format!("wamid.{call}.{n}"), now(), &body);
        let messages: Vec<_> = (0..each).map(message).collect();
        inbox.bring(json!({"contacts": [contact(RUI, "Rui")], "messages": messages})).await;
    }
    let (mut fast, heard) = timeout(LONG, reader).await.expect("the fast client hears").expect("no panic");
    assert_eq!(heard, calls * each);
    let mut frames = 0;
    let end = loop {
        match slow.hear().await {
            Heard::Frame(_) => frames += 1,
            end => break end,
        }
    };
    assert_eq!(end, Heard::Closed(1013), "after {frames} frames");
    assert!(frames < calls, "{frames}");
    inbox.customer_writes(RUI, "Still there?").await;
    assert_eq!(fast.texts().await, ["Still there?"]);
}

#[tokio::test]
async fn a_burst_is_no_reason_to_let_a_reading_client_go() {
    let inbox = Inbox::start().await;
    let mut socket = Socket::of(&inbox, &inbox.admin).await;
    let reader = tokio::spawn(async move {
        let mut heard = 0;
        while heard < 2_400 {
            heard += socket.texts().await.len();
        }
        heard
    });
    let body = "x".repeat(500);
    let calls = (0..24).map(|call| {
        let message = |n: usize| text_message(&format!("3519{call:03}{n:05}"), &format!("w.{call}.{n}"), now(), &body);
        let messages: Vec<_> = (0..100).map(message).collect();
        inbox.bring(json!({"messages": messages}))
    });
    futures_util::future::join_all(calls).await;
    assert_eq!(timeout(LONG, reader).await.expect("in time").expect("no panic"), 2_400);
}

#[tokio::test]
async fn connections_are_limited_by_user_tenant_and_server() {
    let inbox = Inbox::start_with(|config| {
        config.websockets_per_user = 1;
        config.websockets_per_tenant = 2;
        config.websockets = 4;
    })
    .await;
    let full = async |token: &str| {
        let mut socket = Socket::open(&inbox).await;
        socket.say(&json!({ "token": token }).to_string()).await;
        socket.hear().await
    };
    let first = Socket::of(&inbox, &inbox.admin).await;
    assert_eq!(full(&inbox.admin.token).await, Heard::Closed(1013));
    let _second = Socket::of(&inbox, &inbox.agent).await;
    assert_eq!(full(&inbox.bot.token).await, Heard::Closed(1013));
    let _waiting = [Socket::open(&inbox).await, Socket::open(&inbox).await];
    let (status, _) = Socket::try_open(&inbox.http.base_url, "/ws/", &[]).await.err().expect("a refusal");
    assert_eq!(status, 503);
    // Whoever leaves makes room.
    drop(first);
    tokio::time::sleep(Duration::from_millis(300)).await;
    Socket::of(&inbox, &inbox.bot).await;
}
