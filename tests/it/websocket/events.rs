//! What is told, in which form, in which order (R-WS-4 … R-WS-7, R-RCV-4).

use serde_json::{Value, json};

use super::{ANA, RUI, Socket};
use crate::harness::inbox::{Inbox, contact, now, text_message};

/// Frames until all of these have come, by type and first own key; sorted.
async fn names(socket: &mut Socket, frames: usize) -> Vec<(String, String)> {
    let mut names = Vec::new();
    for _ in 0..frames {
        let frame = socket.frame().await;
        let keys: Vec<&str> =
            frame["waba_payload"].as_object().expect("an object").keys().map(String::as_str).collect();
        names.push((frame["type"].as_str().expect("a type").to_owned(), keys.join(" ")));
    }
    names
}

fn pairs(names: &[(&str, &str)]) -> Vec<(String, String)> {
    names.iter().map(|(kind, keys)| ((*kind).to_owned(), (*keys).to_owned())).collect()
}

/// Something of every kind happens; how many frames each form has of it.
async fn everything(inbox: &Inbox) {
    let id = inbox.customer_writes(RUI, "Hello").await;
    let tag = inbox.new_tag("vip").await;
    inbox.assign_to(RUI, json!({"assigned_to_user": inbox.agent.id})).await;
    inbox.post(&inbox.admin, "message_tagging/", json!({"tag": tag, "message": id})).await.expect(201);
    inbox.patch(&inbox.admin, &format!("chats/{RUI}/resolve/"), json!({"resolved": true})).await.expect(200);
    let availability = json!({"is_available": false});
    inbox.patch(&inbox.admin, &format!("users/{}/availability/", inbox.agent.id), availability).await.expect(200);
    let text = json!({"wa_id": RUI, "type": "text", "text": {"body": "Yes?"}});
    let sent = inbox.post(&inbox.admin, "messages/", text).await;
    assert!(matches!(sent.status, 201 | 202), "{}", sent.text);
}

const OWN: [&str; 6] =
    ["chat_assignment", "message_tagging", "chat_tagging", "chat_resolved", "user_availability", "outgoing_messages"];

#[tokio::test]
async fn r_ws_4_both_forms_come_by_default() {
    let inbox = Inbox::start().await;
    let mut socket = Socket::of(&inbox, &inbox.admin).await;
    everything(&inbox).await;
    let call = socket.payload("waba_webhook", "messages").await;
    let flat = ["contacts", "messages", "incoming_messages", "object", "entry"];
    assert!(flat.iter().all(|key| !call[*key].is_null()), "{call}");
    assert_eq!(call["object"], "whatsapp_business_account");
    let cloud = &call["entry"][0]["changes"][0]["value"];
    assert_eq!(cloud["messages"], call["messages"]);
    assert_eq!(call["messages"][0]["text"]["body"], "Hello");
    assert_eq!(call["incoming_messages"][0]["customer_wa_id"], RUI);
    for key in OWN {
        let classic = socket.payload("waba_webhook", key).await;
        assert_eq!(socket.payload("getchat_webhook", key).await, classic);
        assert!(classic["entry"].is_null());
    }
}

#[tokio::test]
async fn r_ws_4_a_dialect_narrows_a_connection_to_one_form() {
    let inbox = Inbox::start().await;
    let mut classic = Socket::speaking(&inbox, &inbox.admin, "classic").await;
    let mut cloud = Socket::speaking(&inbox, &inbox.admin, "cloud").await;
    everything(&inbox).await;
    let flat = classic.payload("waba_webhook", "incoming_messages").await;
    assert!(flat["entry"].is_null() && flat["object"].is_null(), "{flat}");
    let entry = cloud.payload("waba_webhook", "entry").await;
    assert_eq!(entry.as_object().map(serde_json::Map::len), Some(2), "{entry}");
    let wanted = |kind| pairs(&OWN.map(|key| (kind, key)));
    assert_eq!(names(&mut classic, 6).await, wanted("waba_webhook"));
    assert_eq!(names(&mut cloud, 6).await, wanted("getchat_webhook"));
}

#[tokio::test]
async fn r_ws_4_statuses_come_in_both_forms() {
    let inbox = Inbox::start().await;
    inbox.customer_writes(RUI, "Hello").await;
    let text = json!({"wa_id": RUI, "type": "text", "text": {"body": "Yes?"}});
    let mut socket = Socket::of(&inbox, &inbox.admin).await;
    inbox.post(&inbox.admin, "messages/", text).await;
    let echo = socket.payload("waba_webhook", "outgoing_messages").await;
    let message = &echo["outgoing_messages"][0];
    let id = message["waba_payload"]["id"].as_str().expect("the outcome is known");
    socket.payload("getchat_webhook", "outgoing_messages").await;
    inbox.status(id, RUI, "read", now()).await;
    // The simulator reports as well.
    loop {
        let told = socket.payload("waba_webhook", "statuses").await;
        assert_eq!(told["entry"][0]["changes"][0]["value"]["statuses"][0]["id"], id);
        assert_eq!(told["statuses"][0]["getchat_id"], message["id"]);
        if told["statuses"][0]["status"] == "read" {
            break;
        }
    }
}

#[tokio::test]
async fn r_ws_5_a_message_whose_outcome_is_not_known_is_told_once_after_a_while() {
    let inbox = Inbox::start().await;
    inbox.customer_writes(RUI, "Hello").await;
    let mut socket = Socket::speaking(&inbox, &inbox.admin, "classic").await;
    inbox.behave(json!({"http_status": {"status": 503, "count": 1_000}})).await;
    let text = json!({"wa_id": RUI, "type": "text", "text": {"body": "Yes?"}});
    let since = std::time::Instant::now();
    inbox.post(&inbox.admin, "messages/", text).await;
    let told = socket.payload("waba_webhook", "outgoing_messages").await;
    assert_eq!(told["outgoing_messages"][0]["waba_payload"]["text"]["body"], "Yes?");
    assert!((9..15).contains(&since.elapsed().as_secs()), "{:?}", since.elapsed());
    socket.silent().await;
}

#[tokio::test]
async fn r_ws_6_r_rcv_4_nothing_is_received_by_being_told() {
    let inbox = Inbox::start().await;
    let mut socket = Socket::of(&inbox, &inbox.agent).await;
    inbox.customer_writes(RUI, "Hello").await;
    let told = socket.payload("waba_webhook", "incoming_messages").await;
    assert_eq!(told["incoming_messages"][0]["received"], false);
    tokio::time::sleep(super::SHORT).await;
    let chats = inbox.get(&inbox.agent, "chats/").await.expect(200);
    assert_eq!(chats["results"][0]["new_messages"], 1);
    assert_eq!(
        inbox.count("SELECT count(*) FROM ledger.events WHERE event_type = 'MessagesMarkedAsReceived'").await,
        0
    );
}

#[tokio::test]
async fn r_rcv_4_websockets_set_no_marks() {
    let inbox = Inbox::start().await;
    let mut socket = Socket::of(&inbox, &inbox.admin).await;
    for n in 0..3 {
        inbox.customer_writes(RUI, &n.to_string()).await;
        socket.texts().await;
    }
    let chats = inbox.get(&inbox.admin, "chats/").await.expect(200);
    assert_eq!(chats["results"][0]["new_messages"], 3);
}

#[tokio::test]
async fn r_ws_7_nothing_is_told_again_and_a_chat_keeps_its_order() {
    let inbox = Inbox::start().await;
    inbox.customer_writes(RUI, "before").await;
    let mut first = Socket::of(&inbox, &inbox.admin).await;
    inbox.customer_writes(RUI, "for the first").await;
    let mut second = Socket::of(&inbox, &inbox.admin).await;
    let wanted: Vec<String> = (0..120).map(|n| n.to_string()).collect();
    for part in wanted.chunks(20) {
        let message = |text: &String| text_message(RUI, &format!("wamid.{text}"), now(), text);
        let messages: Vec<Value> = part.iter().map(message).collect();
        inbox.bring(json!({"contacts": [contact(RUI, "Rui")], "messages": messages})).await;
    }
    assert_eq!(first.texts().await, ["for the first"]);
    for socket in [&mut first, &mut second] {
        let mut heard = Vec::new();
        while heard.len() < wanted.len() {
            heard.extend(socket.texts().await);
        }
        assert_eq!(heard, wanted);
        socket.silent().await;
    }
}

#[tokio::test]
async fn r_ws_8_every_connection_of_a_user_gets_everything() {
    let inbox = Inbox::start().await;
    let mut sockets = Vec::new();
    for _ in 0..3 {
        sockets.push(Socket::of(&inbox, &inbox.agent).await);
    }
    inbox.customer_writes(ANA, "Hello").await;
    for socket in &mut sockets {
        assert_eq!(socket.texts().await, ["Hello"]);
    }
    drop(sockets.pop());
    inbox.customer_writes(ANA, "Still there?").await;
    for socket in &mut sockets {
        assert_eq!(socket.texts().await, ["Still there?"]);
    }
}

#[tokio::test]
async fn events_of_every_server_on_the_database_are_told() {
    let inbox = Inbox::start().await;
    let other = inbox.beside().await;
    let mut here = Socket::of(&inbox, &inbox.admin).await;
    let mut there = Socket::of(&other, &inbox.admin).await;
    other.customer_writes(RUI, "to the other").await;
    inbox.customer_writes(ANA, "to this one").await;
    for socket in [&mut here, &mut there] {
        assert_eq!(socket.texts().await, ["to the other"]);
        assert_eq!(socket.texts().await, ["to this one"]);
    }
}

#[tokio::test]
async fn a_tenant_is_told_of_its_own_inbox_only() {
    let inbox = Inbox::start().await;
    inbox.add_tenant("acme", "acme.example", "777").await;
    let theirs = inbox.add_user_to("acme", "nuno", chatledger_domain::Role::Admin).await;
    let mut socket = Socket::of(&inbox, &theirs).await;
    inbox.customer_writes(RUI, "Hello").await;
    socket.silent().await;
}
