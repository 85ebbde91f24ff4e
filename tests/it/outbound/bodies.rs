//! R-MSG-7, R-MSG-10, R-MSG-13, R-MSG-14: what a send must say, and what is answered.

use serde_json::{Value, json};

use super::{RUI, delivered, message, open, queued, send, text};
use crate::harness::inbox::Inbox;

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[tokio::test]
async fn r_msg_7_the_type_selects_its_object() {
    let inbox = open().await;
    let kinds = [
        "text",
        "image",
        "video",
        "audio",
        "voice",
        "document",
        "sticker",
        "location",
        "contacts",
        "template",
        "hsm",
        "interactive",
        "reaction",
    ];
    for kind in kinds {
        let body = send(&inbox, json!({"wa_id": RUI, "type": kind})).await.expect(400);
        assert_eq!(body[kind], json!(["This field is required."]), "{body}");
        assert!(body["reason"].is_string(), "{body}");
    }
    let body = send(&inbox, json!({"wa_id": RUI, "type": "foo", "foo": {}})).await.expect(400);
    assert_eq!(body["type"], json!(["\"foo\" is not a valid choice."]));
    let body = send(&inbox, json!({"type": "text", "text": {"body": "Hi"}})).await.expect(400);
    assert_eq!(body["wa_id"], json!(["This field is required."]));
    assert_eq!(queued(&inbox).await, 0);
}

#[tokio::test]
async fn r_msg_7_contents_beyond_the_limits_are_refused() {
    let inbox = open().await;
    let too_long = "x".repeat(4_097);
    let button = json!({"type": "reply", "reply": {"id": "1", "title": "Yes"}});
    let cases = [
        ("text", json!({"body": too_long})),
        ("text", json!({"body": ""})),
        ("text", json!({})),
        ("image", json!({"caption": "no picture"})),
        ("image", json!({"id": "1", "caption": "x".repeat(1_025)})),
        ("document", json!({"id": "1", "filename": "x".repeat(241)})),
        ("location", json!({"latitude": 91, "longitude": 0})),
        ("location", json!({"latitude": 0, "longitude": -180.5})),
        ("contacts", json!([])),
        ("contacts", json!([{"name": {}}])),
        ("template", json!({"name": "ola"})),
        ("template", json!({"language": {"code": "en"}})),
        ("hsm", json!({"element_name": "ola"})),
        ("interactive", json!({"type": "button", "action": {"buttons": vec![button; 4]}})),
        ("reaction", json!({"emoji": "x"})),
    ];
    for (kind, object) in cases {
        let mut body = json!({"wa_id": RUI, "type": kind});
        body[kind] = object;
        let answer = send(&inbox, body.clone()).await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.text);
        assert!(answer.body[kind].is_object() || answer.body[kind].is_array(), "{}", answer.text);
        assert!(answer.body["reason"].is_string(), "{}", answer.text);
    }
    assert_eq!(queued(&inbox).await, 0);
    assert!(delivered(&inbox).await.is_empty());
    // As long as it may be.
    send(&inbox, text(RUI, &"é".repeat(4_096))).await.expect(201);
}

#[tokio::test]
async fn r_msg_10_validation_comes_before_permission_and_permission_before_the_window() {
    let inbox = Inbox::start().await;
    inbox.customer_wrote(RUI, "long ago", crate::harness::inbox::now() - 100_000).await;
    let by_agent = |body: Value| inbox.post(&inbox.agent, "messages/", body);
    by_agent(json!({"wa_id": RUI, "type": "text"})).await.expect(400);
    let refused = by_agent(text(RUI, "Hi")).await.expect(403);
    assert_eq!(refused, json!({"detail": "You do not have permission to perform this action."}));
    send(&inbox, json!({"wa_id": RUI, "type": "text"})).await.expect(400);
    send(&inbox, text(RUI, "Hi")).await.expect(453);
    assert_eq!(queued(&inbox).await, 0);
    assert!(delivered(&inbox).await.is_empty());
}

#[tokio::test]
async fn r_msg_13_one_object_tells_the_type() {
    let inbox = open().await;
    send(&inbox, json!({"wa_id": RUI, "text": {"body": "Hi"}})).await.expect(201);
    send(&inbox, json!({"wa_id": RUI, "location": {"latitude": 1, "longitude": 2}})).await.expect(201);
    let kinds: Vec<Value> = delivered(&inbox).await.iter().map(|message| message["type"].clone()).collect();
    assert_eq!(kinds, ["text", "location"]);
    let two = json!({"wa_id": RUI, "text": {"body": "Hi"}, "location": {"latitude": 1, "longitude": 2}});
    assert_eq!(send(&inbox, two).await.expect(400)["type"], json!(["This field is required."]));
    assert_eq!(send(&inbox, json!({"wa_id": RUI})).await.expect(400)["type"], json!(["This field is required."]));
}

#[tokio::test]
async fn r_msg_14_answer_and_message_have_exactly_the_promised_keys() {
    let inbox = open().await;
    inbox.behave(json!({"statuses": []})).await;
    let sent = send(&inbox, text("+351 912-000-333", "Hello")).await.expect(201);
    assert_eq!(keys(&sent), ["id", "waba_response"]);
    let id = sent["id"].as_str().unwrap();
    assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'), "{id}");
    let response = &sent["waba_response"];
    assert_eq!(response["messaging_product"], "whatsapp");
    assert_eq!(response["contacts"], json!([{"input": RUI, "wa_id": RUI}]));
    let waba_id = &response["messages"][0]["id"];
    assert!(waba_id.as_str().unwrap().starts_with("wamid."));
    let message = message(&inbox, RUI, &sent["id"]).await;
    let mut expected = [
        "id",
        "waba_payload",
        "waba_statuses",
        "contact",
        "from_us",
        "received",
        "sender",
        "context",
        "customer_wa_id",
        "tags",
        "chat_tags",
        "is_failed",
        "resend_payload",
    ];
    let mut shown = keys(&message);
    shown.sort_unstable();
    expected.sort_unstable();
    assert_eq!(shown, expected);
    let payload = &message["waba_payload"];
    let timestamp = payload["timestamp"].as_str().expect("text, R-GEN-6");
    assert_eq!(
        *payload,
        json!({"preview_url": false, "recipient_type": "individual", "to": RUI, "type": "text",
            "text": {"body": "Hello"}, "id": waba_id, "timestamp": timestamp})
    );
    assert_eq!(message["waba_statuses"], json!({"sent": 0, "delivered": 0, "read": 0}));
    assert_eq!((&message["from_us"], &message["received"]), (&json!(true), &json!(true)));
    assert_eq!(message["sender"]["username"], inbox.admin.username.as_str());
    assert_eq!(message["resend_payload"], Value::Null);
}

#[tokio::test]
async fn r_msg_11_sending_neither_assigns_nor_marks() {
    let inbox = open().await;
    send(&inbox, text(RUI, "Hello")).await.expect(201);
    let chat = inbox.get(&inbox.admin, &format!("chats/{RUI}/")).await.expect(200);
    assert_eq!((&chat["assigned_to_user"], &chat["assigned_group"]), (&Value::Null, &Value::Null));
    assert_eq!(chat["new_messages"], 1);
    let page = inbox.get(&inbox.admin, &format!("messages/{RUI}/")).await.expect(200);
    let theirs = page["results"].as_array().unwrap().iter().find(|message| message["from_us"] == false).unwrap();
    assert_eq!(theirs["received"], false);
}
