//! R7: the same call a hundred times, one after the other, at once, and a week later, is one message.

use serde_json::json;

use crate::harness::inbox::{Inbox, contact, now, text_message};

#[tokio::test]
async fn r7_the_same_call_a_hundred_times_is_one_message() {
    let inbox = Inbox::start().await;
    let call = |id: &str| {
        let message = text_message("351912000111", id, now(), "Is my order ready?");
        inbox.call(json!({"contacts": [contact("351912000111", "Rui")], "messages": [message]})).to_string()
    };
    let (sequential, parallel) = (call("wamid.sequential"), call("wamid.parallel"));
    for _ in 0..100 {
        assert_eq!(inbox.deliver(&sequential).await.status, 200);
    }
    let at_once = (0..100).map(|_| inbox.deliver(&parallel));
    for answer in futures_util::future::join_all(at_once).await {
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    assert_one_each(&inbox).await;

    // A week later nothing but the ledger remembers: no cache, no time limit.
    let later = inbox.beside().await;
    assert_eq!(later.http.signed(&later.app_secret, sequential.into_bytes()).await.status, 200);
    assert_one_each(&inbox).await;
}

async fn assert_one_each(inbox: &Inbox) {
    inbox.settle().await;
    let received = "SELECT count(*) FROM ledger.events WHERE event_type = 'MessageReceived'";
    assert_eq!(inbox.count(received).await, 2);
    assert_eq!(inbox.count("SELECT count(*) FROM read_models.messages").await, 2);
    let profiles = "SELECT count(*) FROM ledger.events WHERE event_type = 'ContactProfileSeen'";
    assert_eq!(inbox.count(profiles).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r7_messages_that_are_each_delivered_three_times_at_once_are_stored_once() {
    let inbox = Inbox::start().await;
    let messages = 300;
    let bodies: Vec<String> = (0..messages)
        .map(|i| {
            let from = format!("3519120{:05}", i % 60);
            let message = text_message(&from, &format!("wamid.triple{i}"), now(), "Hello");
            inbox.call(json!({"contacts": [contact(&from, "Rui")], "messages": [message]})).to_string()
        })
        .collect();
    for part in bodies.chunks(20) {
        let deliveries = part.iter().flat_map(|body| [body, body, body]).map(|body| inbox.deliver(body));
        for answer in futures_util::future::join_all(deliveries).await {
            assert_eq!(answer.status, 200, "{}", answer.text);
        }
    }
    inbox.settle().await;
    assert_eq!(inbox.count("SELECT count(*) FROM read_models.messages").await, messages);
    assert_eq!(inbox.count("SELECT count(*) FROM read_models.chats").await, 60);
}
