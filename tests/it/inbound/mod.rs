//! What WhatsApp pushes to us (webhooks §6), through the real doors.

mod channel;
mod contacts;
mod durable;
mod malformed;
mod notices;
mod quarantine;
mod repeats;
mod signature;
mod statuses;
mod together;
mod types;
mod verification;
mod window;

pub use quarantine::{cli, folder};
use serde_json::Value;

use crate::harness::{http::Answer, inbox::Inbox};

/// The customer of most tests.
pub const ANA: &str = "351912000111";

/// Lets the simulator's customer do something; what it says came of it.
pub async fn simulate(inbox: &Inbox, event: Value) -> Value {
    let url = format!("{}/simulator/inbound", inbox.simulator_url);
    let answer = inbox.http.raw.post(url).json(&event).send().await.expect("the simulator answers");
    let received: Value = answer.json().await.expect("JSON");
    assert_eq!(received["status"], 200, "{received} for {event}");
    inbox.settle().await;
    received
}

/// Delivers a body at the tenant's own door, without a signature.
pub async fn at_channel(inbox: &Inbox, secret: &str, body: &str) -> Answer {
    let request = inbox.http.raw.post(inbox.http.url(&format!("/hooks/waba/{secret}")));
    inbox.http.send(request.header("Content-Type", "application/json").body(body.to_owned())).await
}

/// A chat's messages as the admin sees them, newest first.
pub async fn messages_of(inbox: &Inbox, wa_id: &str) -> Vec<Value> {
    let page = inbox.get(&inbox.admin, &format!("messages/{wa_id}/?limit=1000")).await.expect(200);
    page["results"].as_array().expect("a list").clone()
}

/// The message with this WhatsApp id.
pub async fn message_of(inbox: &Inbox, wa_id: &str, waba_id: &str) -> Value {
    let messages = messages_of(inbox, wa_id).await;
    let found = messages.iter().find(|message| message["waba_payload"]["id"] == waba_id);
    found.unwrap_or_else(|| panic!("{waba_id} is not in {messages:#?}")).clone()
}

/// The person as the admin sees it.
pub async fn person(inbox: &Inbox, wa_id: &str) -> Value {
    inbox.get(&inbox.admin, &format!("persons/{wa_id}/")).await.expect(200)
}

/// Reasons and bodies in quarantine, oldest first.
pub async fn quarantined(inbox: &Inbox) -> Vec<(String, String)> {
    let rows: Vec<(String, Vec<u8>)> =
        sqlx::query_as("SELECT reason, body FROM ledger.quarantine ORDER BY received_at, id")
            .fetch_all(&inbox.pool)
            .await
            .expect("the database answers");
    rows.into_iter().map(|(reason, body)| (reason, String::from_utf8_lossy(&body).into_owned())).collect()
}

/// How many events are in the ledger.
pub async fn events(inbox: &Inbox) -> i64 {
    inbox.count("SELECT count(*) FROM ledger.events").await
}
