//! Holds what a receiver was told against the ledger: everything, in order within each chat, repeats with the same id.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};

use reqwest::Method;
use serde_json::json;
use sqlx::PgPool;

use crate::harness::{
    http::Client,
    receiver::{Call, Receiver},
};

/// Registers a receiver of incoming messages for the user of a token.
pub async fn register(http: &Client, token: &str, receiver: &Receiver) {
    let body = json!({"url": receiver.url});
    http.call(Method::POST, "webhooks/waba/", Some(token), Some(body)).await.expect(201);
}

/// WhatsApp's ids of the messages in the ledger, by chat, in order.
pub async fn in_ledger(pool: &PgPool) -> BTreeMap<String, Vec<String>> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT aggregate_id, payload->>'waba_id' FROM ledger.events WHERE event_type = 'MessageReceived' \
         ORDER BY tenant_id, position",
    )
    .fetch_all(pool)
    .await
    .expect("the ledger is read");
    let mut chats: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (chat, id) in rows {
        chats.entry(chat).or_default().push(id);
    }
    chats
}

/// A call's messages: chat and WhatsApp's id.
fn messages(call: &Call) -> Vec<(String, String)> {
    let of = |message: &serde_json::Value| Some((message["from"].as_str()?.into(), message["id"].as_str()?.into()));
    call.body["messages"].as_array().into_iter().flatten().filter_map(of).collect()
}

/// Waits until a receiver was told of so many different messages.
pub async fn wait_for(receiver: &Receiver, count: usize, at_most: Duration) {
    let since = std::time::Instant::now();
    loop {
        let told: HashSet<String> = receiver.calls().iter().flat_map(messages).map(|(_, id)| id).collect();
        if told.len() >= count {
            return;
        }
        assert!(since.elapsed() < at_most, "told of {} of {count} messages within {at_most:?}", told.len());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Everything in the ledger was told, in order within each chat; how many calls were repeats, all with the same id.
pub async fn check(pool: &PgPool, receiver: &Receiver) -> usize {
    let calls = receiver.calls();
    let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut ids: HashMap<String, String> = HashMap::new();
    let mut repeats = 0;
    for call in &calls {
        let id = call.header("webhook-id").to_owned();
        assert!(!id.is_empty(), "a call without an id");
        let mut is_new = false;
        for (chat, message) in messages(call) {
            match ids.get(&message) {
                Some(known) => assert_eq!(known, &id, "{message} was told under two ids"),
                None => {
                    ids.insert(message.clone(), id.clone());
                    told.entry(chat).or_default().push(message);
                    is_new = true;
                }
            }
        }
        repeats += usize::from(!is_new);
    }
    let ledger = in_ledger(pool).await;
    for (chat, messages) in &ledger {
        let told = told.get(chat).map_or(&[][..], Vec::as_slice);
        assert_eq!(told, messages.as_slice(), "chat {chat}: not everything, or not in order");
    }
    assert_eq!(told.len(), ledger.len(), "told of chats that the ledger does not have");
    repeats
}
