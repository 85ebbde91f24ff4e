//! What is sent to customers (integration §G, the window), through the real door and to the simulated WhatsApp.

mod bodies;
mod contexts;
mod lost;
mod pending;
mod permissions;
mod queue;
mod refusals;
mod types;
mod window;

use chatledger_api::bootstrap::Login;
use serde_json::{Value, json};

use crate::harness::{http::Answer, inbox::Inbox};

/// The customer of most tests.
pub const RUI: &str = "351912000333";

/// A text for a customer.
pub fn text(wa_id: &str, body: &str) -> Value {
    json!({"wa_id": wa_id, "type": "text", "text": {"body": body}})
}

/// A template for a customer.
pub fn template(wa_id: &str) -> Value {
    json!({"wa_id": wa_id, "type": "template", "template": {"name": "hello_world", "language": {"code": "en_US"}}})
}

/// An inbox where a customer wrote a moment ago.
pub async fn open() -> Inbox {
    let inbox = Inbox::start().await;
    inbox.customer_writes(RUI, "Hi").await;
    inbox
}

/// Sends as the admin.
pub async fn send(inbox: &Inbox, body: Value) -> Answer {
    send_as(inbox, &inbox.admin, body).await
}

/// Sends as somebody.
pub async fn send_as(inbox: &Inbox, by: &Login, body: Value) -> Answer {
    inbox.post(by, "messages/", body).await
}

/// The bodies of what reached customers, in order.
pub async fn delivered(inbox: &Inbox) -> Vec<Value> {
    let all = inbox.delivered().await;
    all["messages"].as_array().expect("a list").iter().map(|message| message["message"].clone()).collect()
}

/// How many sends are recorded.
pub async fn queued(inbox: &Inbox) -> i64 {
    inbox.count("SELECT count(*) FROM ledger.events WHERE event_type = 'MessageQueued'").await
}

/// The message with our id, as the admin sees it.
pub async fn message(inbox: &Inbox, wa_id: &str, id: &Value) -> Value {
    inbox.settle().await;
    let page = inbox.get(&inbox.admin, &format!("messages/{wa_id}/?limit=1000")).await.expect(200);
    let messages = page["results"].as_array().expect("a list");
    messages.iter().find(|message| message["id"] == *id).unwrap_or_else(|| panic!("{id} in {page}")).clone()
}
