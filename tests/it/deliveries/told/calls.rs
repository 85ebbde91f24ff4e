//! What WhatsApp's calls bring.

use std::time::Duration;

use serde_json::{Value, json};

use super::{ANA, ASSIGNED, INCOMING, NOTHING, OUTGOING, RUI, assign, column, first, hook, keys};
use crate::harness::{
    inbox::{Inbox, contact, now, text_message},
    receiver::Receiver,
};

#[tokio::test]
async fn r_iwh_1_one_call_of_whatsapp_is_one_call_of_a_webhook() {
    let inbox = Inbox::start().await;
    inbox.customer_writes(RUI, "Hello").await;
    assign(&inbox, RUI, json!({"assigned_to_user": inbox.agent.id})).await;
    let receiver = hook(&inbox, &inbox.agent, [true, true, true]).await;
    let at = now();
    let messages = json!([
        text_message(RUI, "wamid.1", at, "One"),
        text_message(ANA, "wamid.2", at, "Two"),
        text_message(RUI, "wamid.3", at, "Three")
    ]);
    let contacts = json!([contact(RUI, "Rui Costa"), contact(ANA, "Ana Silva")]);
    inbox.bring(json!({"contacts": contacts, "messages": messages})).await;
    let calls = receiver.wait_for(1).await;
    let body = &calls[0].body;
    assert_eq!(keys(body), ["assigned_messages", "contacts", "incoming_messages", "messages"]);
    // R-IWH-2: WhatsApp's objects unchanged, and ours of the same messages in the same order.
    assert_eq!(body["contacts"], contacts);
    let told = body["messages"].as_array().unwrap();
    assert_eq!(told.len(), 3);
    assert!(messages.as_array().unwrap().iter().all(|message| told.contains(message)));
    let ids = |list: &str| column(body[list].as_array().unwrap(), "/waba_payload/id");
    assert_eq!(ids("incoming_messages"), column(told, "/id"));
    assert_eq!(ids("assigned_messages"), [json!("wamid.1"), json!("wamid.3")]);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(receiver.count(), 1, "one call, not three");
}

#[tokio::test]
async fn r_iwh_2_whatsapps_objects_are_passed_on_byte_by_byte() {
    let inbox = Inbox::start().await;
    let receiver = hook(&inbox, &inbox.agent, INCOMING).await;
    let odd = r#"{"from":"351912000111",  "id":"wamid.odd","timestamp":"1767693600","type":"text","n":1.00,"text":{"body":"Ol\u00e1 \u0000 \ud83d x"}}"#;
    let body = inbox.call(json!({"messages": ["HERE"]})).to_string().replace("\"HERE\"", odd);
    assert_eq!(inbox.deliver(&body).await.status, 200);
    let calls = receiver.wait_for(1).await;
    let text = String::from_utf8(calls[0].raw.clone()).unwrap();
    assert!(text.contains(&format!(r#""messages":[{odd}]"#)), "{text}");
}

#[tokio::test]
async fn r_iwh_3_flags_decide_and_the_message_is_the_lists_object() {
    let inbox = Inbox::start().await;
    let permissions = json!({"permissions": {"can_use_tags": false, "can_read_chats": "none",
        "can_write_to_chats": "none"}});
    inbox.patch(&inbox.admin, &format!("users/{}/", inbox.bot.id), permissions).await.expect(200);
    let archive = hook(&inbox, &inbox.bot, INCOMING).await;
    let deaf = hook(&inbox, &inbox.agent, OUTGOING).await;
    inbox.customer_writes(RUI, "Is my order ready?").await;
    let calls = archive.wait_for(1).await;
    let told = &calls[0].body["incoming_messages"][0];
    let listed = first(&inbox, &inbox.admin, "messages/").await;
    assert_eq!(*told, listed);
    assert_eq!(inbox.get(&inbox.bot, "chats/").await.expect(200)["count"], 0);
    assert_eq!(deaf.count(), 0);
}

/// The body with failures; those of the message's way to the phone may come before it.
async fn failed(receiver: &Receiver) -> Value {
    for _ in 0..1_000 {
        let bodies = receiver.bodies_with("statuses").into_iter();
        if let Some(body) = bodies.rev().find(|body| body["statuses"][0]["status"] == "failed") {
            return body;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no failure was told within 10 s");
}

#[tokio::test]
async fn r_iwh_4_statuses_go_by_flags_and_else_by_assignment() {
    let inbox = Inbox::start().await;
    for chat in [RUI, ANA] {
        inbox.customer_writes(chat, "Hello").await;
    }
    assign(&inbox, RUI, json!({"assigned_to_user": inbox.bot.id})).await;
    let body = json!({"wa_id": RUI, "type": "text", "text": {"body": "Soon"}});
    let sent = inbox.post(&inbox.admin, "messages/", body).await.expect(201);
    let waba_id = sent["waba_response"]["messages"][0]["id"].as_str().unwrap().to_owned();
    let all = hook(&inbox, &inbox.admin, OUTGOING).await;
    let own = hook(&inbox, &inbox.bot, ASSIGNED).await;
    let none = hook(&inbox, &inbox.agent, NOTHING).await;
    let errors = json!([{"code": 131_047, "title": "Re-engagement", "error_data": {"details": "24 hours"}}]);
    let status = |id: &str, to: &str| json!({"id": id, "recipient_id": to, "status": "failed", "timestamp": now().to_string(), "errors": errors});
    inbox.bring(json!({"statuses": [status(&waba_id, RUI), status("wamid.other", ANA)]})).await;
    let told = [failed(&own).await];
    let mut expected = status(&waba_id, RUI);
    expected["timestamp"] = told[0]["statuses"][0]["timestamp"].clone();
    expected["getchat_id"] = sent["id"].clone();
    expected["errors"][0]["details"] = json!("24 hours");
    assert_eq!(told[0], json!({"statuses": [expected]}));
    let told = [failed(&all).await];
    assert_eq!(column(told[0]["statuses"].as_array().unwrap(), "/recipient_id"), [json!(RUI), json!(ANA)]);
    assert!(told[0]["statuses"][1].get("getchat_id").is_none());
    assert_eq!(none.bodies_with("statuses").len(), 0);
}

#[tokio::test]
async fn errors_of_a_call_are_recorded_once_and_told() {
    let inbox = Inbox::start().await;
    let receiver = hook(&inbox, &inbox.agent, INCOMING).await;
    let error = json!({"code": 130_429, "title": "Rate limit hit", "href": "https://x.example"});
    let call = json!({"errors": [error], "messages": [text_message(RUI, "wamid.1", now(), "One")]});
    for _ in 0..2 {
        inbox.bring(call.clone()).await;
    }
    inbox.customer_writes(RUI, "Two").await;
    let calls = receiver.wait_for(2).await;
    assert_eq!(keys(&calls[0].body), ["contacts", "errors", "incoming_messages", "messages"]);
    assert_eq!(calls[0].body["errors"], json!([error]));
    assert_eq!(receiver.bodies_with("errors").len(), 1, "a repeat pushes nothing (R-IN-5)");
}

#[tokio::test]
async fn r_iwh_10_a_2xx_marks_the_users_messages_and_nobody_elses() {
    let inbox = Inbox::start().await;
    let receiver = hook(&inbox, &inbox.bot, INCOMING).await;
    inbox.customer_writes(RUI, "Hello").await;
    receiver.wait_for(1).await;
    let marks = "SELECT count(*) FROM ledger.events WHERE event_type = 'MessagesDelivered'";
    for _ in 0..1_000 {
        if inbox.count(marks).await > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    inbox.settle().await;
    inbox.patch(&inbox.admin, &format!("chat_assignment/{RUI}/"), json!({"assigned_to_user": inbox.bot.id})).await;
    assert_eq!(first(&inbox, &inbox.bot, "chats/").await["new_messages"], 0);
    assert_eq!(first(&inbox, &inbox.admin, "chats/").await["new_messages"], 1);
}

#[tokio::test]
async fn r_iwh_11_a_deactivated_users_webhook_is_not_called() {
    let inbox = Inbox::start().await;
    let gone = hook(&inbox, &inbox.agent, [true, true, true]).await;
    let there = hook(&inbox, &inbox.bot, INCOMING).await;
    inbox.customer_writes(RUI, "One").await;
    gone.wait_for(1).await;
    inbox.delete(&inbox.admin, &format!("users/{}/", inbox.agent.id)).await.expect(204);
    let before = gone.count();
    inbox.customer_writes(RUI, "Two").await;
    there.wait_for_bodies("messages", 2).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(gone.count(), before);
}

#[tokio::test]
async fn r_out_1_a_large_call_is_split_between_messages() {
    let inbox = Inbox::start().await;
    let receiver = hook(&inbox, &inbox.bot, INCOMING).await;
    let message = |n: usize| text_message(RUI, &format!("wamid.{n}"), now(), &"x".repeat(200_000));
    let messages: Vec<_> = (0..6).map(message).collect();
    inbox.bring(json!({"contacts": [contact(RUI, "Rui")], "messages": messages})).await;
    let calls = receiver.wait_for(3).await;
    let told: Vec<_> = calls.iter().flat_map(|call| call.body["messages"].as_array().unwrap().clone()).collect();
    assert_eq!(told, messages, "all, in order");
    assert!(calls.iter().all(|call| call.raw.len() <= 1_048_576 && call.body["contacts"][0]["wa_id"] == RUI));
    let ids: std::collections::HashSet<_> = calls.iter().map(|call| call.header("webhook-id").to_owned()).collect();
    assert_eq!(ids.len(), 3);
}
