//! Before and after the token (R-WS-1, R-WS-2, R-WS-3).

use std::time::{Duration, Instant};

use futures_util::SinkExt;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::{Heard, RUI, Socket};
use crate::harness::inbox::Inbox;

fn bad_request() -> Heard {
    Heard::Frame(json!({"type": "response", "status": "bad_request", "message": "Token is required."}))
}

async fn refused(inbox: &Inbox, frame: Value) {
    let mut socket = Socket::open(inbox).await;
    socket.say(&frame.to_string()).await;
    let Heard::Frame(answer) = socket.hear().await else { panic!("no answer to {frame}") };
    assert_eq!((&answer["type"], &answer["status"]), (&json!("token"), &json!("failed")), "{frame}");
    assert_eq!(socket.hear().await, Heard::Closed(1008), "{frame}");
}

#[tokio::test]
async fn r_ws_1_nothing_is_said_before_the_token() {
    let inbox = Inbox::start().await;
    let mut socket = Socket::open(&inbox).await;
    inbox.customer_writes(RUI, "Hello").await;
    socket.silent().await;
    let mut socket = socket.let_in(&json!({"token": inbox.admin.token})).await;
    inbox.customer_writes(RUI, "Are you there?").await;
    assert_eq!(socket.texts().await, ["Are you there?"]);
}

#[tokio::test]
async fn r_ws_2_a_bad_frame_is_a_try_and_there_are_three() {
    let inbox = Inbox::start().await;
    let mut socket = Socket::open(&inbox).await;
    for bad in ["{", r#"{"tokn":"ab"}"#] {
        socket.say(bad).await;
        assert_eq!(socket.hear().await, bad_request(), "{bad}");
    }
    // The third may still be the right one.
    let mut socket = socket.let_in(&json!({"token": inbox.agent.token})).await;
    socket.silent().await;

    let mut socket = Socket::open(&inbox).await;
    socket.stream.send(Message::binary(vec![1, 2])).await.unwrap();
    assert_eq!(socket.hear().await, bad_request());
    socket.say("[]").await;
    assert_eq!(socket.hear().await, bad_request());
    socket.say(&json!({"token": inbox.agent.token, "dialect": "old"}).to_string()).await;
    let Heard::Frame(answer) = socket.hear().await else { panic!("no answer") };
    assert_eq!(answer["status"], "bad_request");
    assert_eq!(socket.hear().await, Heard::Closed(1008));
}

#[tokio::test]
async fn r_ws_2_an_unknown_token_is_refused() {
    let inbox = Inbox::start().await;
    let tag = &inbox.admin.token[..8];
    for token in ["0".repeat(40), format!("{tag}{}", "0".repeat(32)), "x".to_owned()] {
        refused(&inbox, json!({ "token": token })).await;
    }
    inbox.delete(&inbox.admin, &format!("users/{}/", inbox.agent.id)).await.expect(204);
    refused(&inbox, json!({"token": inbox.agent.token})).await;
}

#[tokio::test]
async fn r_ws_2_no_token_within_ten_seconds_ends_it() {
    let inbox = Inbox::start().await;
    let (mut socket, since) = (Socket::open(&inbox).await, Instant::now());
    assert_eq!(socket.hear().await, Heard::Closed(1008));
    assert!((Duration::from_secs(9)..Duration::from_secs(13)).contains(&since.elapsed()), "{:?}", since.elapsed());
}

#[tokio::test]
async fn r_ws_2_failed_tokens_count_as_failed_authentications() {
    let inbox = Inbox::start_with(|config| config.failed_authentications_per_minute = 2).await;
    refused(&inbox, json!({"token": "none"})).await;
    refused(&inbox, json!({"token": "none"})).await;
    let answer = inbox.http.call(reqwest::Method::GET, "chats/", Some("none"), None).await;
    assert_eq!(answer.status, 429, "{}", answer.text);
    // A good one is never refused for it.
    Socket::of(&inbox, &inbox.admin).await;
}

#[tokio::test]
async fn r_ws_3_what_comes_after_the_token_is_a_bad_request_and_the_connection_stays() {
    let inbox = Inbox::start().await;
    let mut socket = Socket::of(&inbox, &inbox.admin).await;
    for _ in 0..4 {
        socket.say(&json!({"token": inbox.admin.token}).to_string()).await;
        assert_eq!(socket.hear().await, bad_request());
    }
    socket.stream.send(Message::binary(vec![0])).await.unwrap();
    assert_eq!(socket.hear().await, bad_request());
    inbox.customer_writes(RUI, "Hello").await;
    assert_eq!(socket.texts().await, ["Hello"]);
}

#[tokio::test]
async fn frames_longer_than_64_kib_end_it() {
    let inbox = Inbox::start().await;
    let mut socket = Socket::open(&inbox).await;
    socket.say(&json!({"token": "x".repeat(60_000)}).to_string()).await;
    assert_eq!(socket.hear().await, bad_request());
    socket.say(&json!({"token": "x".repeat(70_000)}).to_string()).await;
    assert!(matches!(socket.hear().await, Heard::Closed(1009) | Heard::Broken));
}
