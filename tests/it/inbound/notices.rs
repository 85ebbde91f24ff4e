//! Echoes of the phone app, notes of the system, and what WhatsApp says of templates and the account.

use serde_json::{Value, json};

use super::{ANA, message_of, messages_of, person, quarantined, simulate};
use crate::harness::inbox::Inbox;

#[tokio::test]
async fn r_6_3_an_echo_is_an_outgoing_message_of_nobody_and_opens_no_window() {
    let inbox = Inbox::start().await;
    let received = simulate(&inbox, json!({"type": "echo", "from": ANA, "text": "From the phone"})).await;
    let message = message_of(&inbox, ANA, received["id"].as_str().unwrap()).await;
    assert_eq!(message["from_us"], true);
    assert_eq!(message["sender"], Value::Null);
    assert_eq!(message["received"], true);
    assert_eq!(message["waba_payload"]["text"]["body"], "From the phone");
    assert_eq!(message["waba_payload"]["to"], ANA);
    let person = person(&inbox, ANA).await;
    assert_eq!(person["last_message_timestamp"], Value::Null);
    assert_eq!(person["messaging_window_expires_at"], Value::Null);
    let body = json!({"wa_id": ANA, "type": "text", "text": {"body": "Hi"}});
    assert_eq!(inbox.post(&inbox.admin, "messages/", body).await.status, 453);
    assert_eq!(messages_of(&inbox, ANA).await.len(), 1);
}

#[tokio::test]
async fn r_6_3_both_names_of_echoes_are_known() {
    let inbox = Inbox::start().await;
    for (id, field) in [("wamid.1", "smb_message_echoes"), ("wamid.2", "message_echoes")] {
        let echo = json!({"from": "351210000000", "to": ANA, "id": id, "timestamp": "1767693600", "type": "text",
            "text": {"body": "Hi"}});
        let call = inbox.call(json!({"message_echoes": [echo]})).to_string();
        let call = call.replace("\"field\":\"messages\"", &format!("\"field\":\"{field}\""));
        assert_eq!(inbox.deliver(&call).await.status, 200);
    }
    inbox.settle().await;
    let messages = messages_of(&inbox, ANA).await;
    assert_eq!(messages.len(), 2);
    assert!(messages.iter().all(|message| message["from_us"] == true));
}

#[tokio::test]
async fn r_6_3_a_system_notice_is_a_note_in_the_chat_and_opens_no_window() {
    let inbox = Inbox::start().await;
    let received = simulate(&inbox, json!({"type": "system", "from": ANA})).await;
    let message = message_of(&inbox, ANA, received["id"].as_str().unwrap()).await;
    assert_eq!(message["waba_payload"]["type"], "system");
    assert_eq!(message["waba_payload"]["system"]["wa_id"], "351912000999");
    assert_eq!(message["customer_wa_id"], ANA, "the chat keeps its number");
    assert_eq!(person(&inbox, ANA).await["messaging_window_expires_at"], Value::Null);
    assert_eq!(inbox.get(&inbox.admin, "chats/351912000999/").await.status, 404);
    let body = json!({"wa_id": ANA, "type": "text", "text": {"body": "Hi"}});
    assert_eq!(inbox.post(&inbox.admin, "messages/", body).await.status, 453);
}

#[tokio::test]
async fn r_6_3_a_system_notice_does_not_extend_an_open_window() {
    let inbox = Inbox::start().await;
    let written = crate::harness::inbox::now() - 3_600;
    inbox.customer_wrote(ANA, "Hi", written).await;
    simulate(&inbox, json!({"type": "system", "from": ANA, "form": "flat"})).await;
    assert_eq!(person(&inbox, ANA).await["messaging_window_expires_at"], written + 86_400);
}

#[tokio::test]
async fn r_6_3_template_status_and_account_notices_are_recorded() {
    let inbox = Inbox::start().await;
    let event = json!({"type": "template_status", "template": "ola", "language": "pt_PT", "event": "REJECTED"});
    simulate(&inbox, event).await;
    simulate(&inbox, json!({"type": "account_update"})).await;
    let quality = json!({"display_phone_number": "351210000000", "event": "UPGRADE", "current_limit": "TIER_10K"});
    simulate(&inbox, json!({"type": "phone_number_quality_update", "value": quality})).await;
    let payloads = |kind: &'static str| {
        let inbox = &inbox;
        async move {
            let rows: Vec<String> =
                sqlx::query_scalar("SELECT payload::text FROM ledger.events WHERE event_type = $1 ORDER BY position")
                    .bind(kind)
                    .fetch_all(&inbox.pool)
                    .await
                    .unwrap();
            rows.iter().map(|row| serde_json::from_str::<Value>(row).unwrap()).collect::<Vec<_>>()
        }
    };
    let templates = payloads("TemplateStatusReported").await;
    assert_eq!(templates.len(), 1, "{:?}", quarantined(&inbox).await);
    assert_eq!(templates[0]["name"], "ola");
    assert_eq!((&templates[0]["language"], &templates[0]["status"]), (&json!("pt_PT"), &json!("rejected")));
    let notices = payloads("AccountNoticeReceived").await;
    assert_eq!(notices.len(), 2);
    assert_eq!(notices[1]["field"], "phone_number_quality_update");
    assert_eq!(notices[1]["report"], quality);
    // Template "ola" approved again later is another report.
    simulate(&inbox, json!({"type": "template_status", "template": "ola", "language": "pt_PT", "event": "APPROVED"}))
        .await;
    assert_eq!(payloads("TemplateStatusReported").await.len(), 2);
    assert!(quarantined(&inbox).await.is_empty());
}

#[tokio::test]
async fn r_6_3_fields_that_nobody_needs_are_answered_and_leave_no_trace() {
    let inbox = Inbox::start().await;
    let before = super::events(&inbox).await;
    simulate(&inbox, json!({"type": "field", "field": "message_template_quality_update", "value": {"x": 1}})).await;
    simulate(&inbox, json!({"type": "field", "field": "user_preferences", "value": {"x": 1}})).await;
    assert_eq!(super::events(&inbox).await, before);
    assert!(quarantined(&inbox).await.is_empty());
}
