//! Contract §2: who is told what, in which words, through the real door to real receivers.

mod calls;
mod changes;
mod given;
mod outgoing;

use chatledger_api::bootstrap::Login;
use serde_json::{Value, json};

use crate::harness::{inbox::Inbox, receiver::Receiver};

pub const RUI: &str = "351912000111";
pub const ANA: &str = "351912000222";

pub const INCOMING: [bool; 3] = [true, false, false];
pub const OUTGOING: [bool; 3] = [false, true, false];
pub const ASSIGNED: [bool; 3] = [false, false, true];
pub const NOTHING: [bool; 3] = [false, false, false];

/// A user registers a receiver that is told of incoming messages, of outgoing ones, of those of its own chats.
pub async fn hook(inbox: &Inbox, by: &Login, [incoming, outgoing, assigned]: [bool; 3]) -> Receiver {
    let receiver = Receiver::start().await;
    let body = json!({"url": receiver.url, "on_incoming_message": incoming, "on_outgoing_message": outgoing,
                      "on_assigned": assigned});
    inbox.post(by, "webhooks/waba/", body).await.expect(201);
    receiver
}

/// A chat's assignment is changed by the admin.
pub async fn assign(inbox: &Inbox, chat: &str, change: Value) {
    inbox.patch(&inbox.admin, &format!("chat_assignment/{chat}/"), change).await.expect(200);
}

/// The keys of a body, by name.
pub fn keys(body: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = body.as_object().expect("an object").keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

/// One of a list.
pub async fn first(inbox: &Inbox, by: &Login, path: &str) -> Value {
    inbox.get(by, path).await.expect(200)["results"][0].clone()
}

/// Bodies' value of a pointer.
pub fn column(bodies: &[Value], pointer: &str) -> Vec<Value> {
    bodies.iter().map(|body| body.pointer(pointer).cloned().unwrap_or_default()).collect()
}
