//! The tenant's own door: the path is the secret, either form of body, no signature.

use serde_json::json;

use super::{ANA, at_channel, events, messages_of, quarantined};
use crate::harness::inbox::{Inbox, contact, now, text_message};

#[tokio::test]
async fn r_6_1_the_tenants_own_door_takes_both_forms_without_a_signature() {
    let inbox = Inbox::start().await;
    let flat = json!({"contacts": [contact(ANA, "Ana")], "messages": [text_message(ANA, "flat.1", now(), "flat")]});
    let cloud = inbox.call(json!({"messages": [text_message(ANA, "wamid.1", now(), "cloud")]}));
    for body in [&flat, &cloud] {
        let answer = at_channel(&inbox, &inbox.channel_secret, &body.to_string()).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, r#"{"success":true}"#));
    }
    inbox.settle().await;
    assert_eq!(messages_of(&inbox, ANA).await.len(), 2);
    assert!(quarantined(&inbox).await.is_empty());
}

#[tokio::test]
async fn r_6_1_a_wrong_secret_is_404_and_leaves_no_trace() {
    let inbox = Inbox::start().await;
    let before = events(&inbox).await;
    let body = json!({"messages": [text_message(ANA, "flat.1", now(), "flat")]}).to_string();
    let right = &inbox.channel_secret;
    let altered = format!("{}{}", &right[..right.len() - 1], if right.ends_with('0') { '1' } else { '0' });
    for secret in ["x", "0123456789abcdef", &right[..8], &altered, &format!("{right}0"), "ção", "..%2f"] {
        let answer = at_channel(&inbox, secret, &body).await;
        assert_eq!(answer.status, 404, "{secret}: {}", answer.text);
        assert_eq!(answer.body["success"], false, "{}", answer.text);
        assert!(!answer.text.contains(right));
    }
    // Nor is an unreadable body kept for nobody.
    assert_eq!(at_channel(&inbox, "x", "not JSON").await.status, 404);
    assert_eq!(events(&inbox).await, before);
    assert!(quarantined(&inbox).await.is_empty());
}

#[tokio::test]
async fn r_6_1_a_trailing_slash_is_no_other_door() {
    let inbox = Inbox::start().await;
    let body = json!({"messages": [text_message(ANA, "flat.1", now(), "flat")]}).to_string();
    assert_eq!(at_channel(&inbox, &format!("{}/", inbox.channel_secret), &body).await.status, 200);
}

#[tokio::test]
async fn r_6_3_statuses_in_the_on_premises_form_are_read() {
    let inbox = Inbox::start().await;
    inbox.behave(json!({"statuses": []})).await;
    inbox.customer_writes(ANA, "Hi").await;
    let body = json!({"wa_id": ANA, "type": "text", "text": {"body": "Hello"}});
    let sent = inbox.post(&inbox.admin, "messages/", body).await.expect(201);
    let id = &sent["waba_response"]["messages"][0]["id"];
    let statuses = json!({"statuses": [
        {"id": id, "recipient_id": ANA, "status": "sent", "timestamp": "1767693600"},
        {"id": id, "message": {"recipient_id": ANA}, "status": "delivered", "timestamp": "1767693601"},
        {"id": id, "recipient_id": ANA, "status": "warning", "timestamp": "1767693602"},
        {"id": id, "recipient_id": ANA, "status": "failed", "timestamp": "1767693603",
         "errors": [{"code": 470, "title": "Re-engagement message", "details": "24 hours", "href": "https://x.example"}]}
    ]});
    assert_eq!(at_channel(&inbox, &inbox.channel_secret, &statuses.to_string()).await.status, 200);
    inbox.settle().await;
    let message = super::message_of(&inbox, ANA, id.as_str().unwrap()).await;
    assert_eq!(message["waba_statuses"], json!({"sent": 1_767_693_600, "delivered": 1_767_693_601, "read": 0}));
    assert_eq!(message["is_failed"], true);
    assert_eq!(message["waba_payload"]["errors"][0]["code"], 470);
    assert!(quarantined(&inbox).await.is_empty());
}
