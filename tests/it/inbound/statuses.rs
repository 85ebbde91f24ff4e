//! R-MSG-8, R-MSG-9: what WhatsApp says of our messages, in any order, also before the message is there.

use serde_json::{Value, json};

use super::{ANA, message_of, messages_of, simulate};
use crate::harness::inbox::Inbox;

/// A sent message: our id and WhatsApp's.
async fn sent(inbox: &Inbox, text: &str) -> (String, String) {
    let body = json!({"wa_id": ANA, "type": "text", "text": {"body": text}});
    let sent = inbox.post(&inbox.admin, "messages/", body).await.expect(201);
    let waba_id = sent["waba_response"]["messages"][0]["id"].as_str().expect("an id");
    (sent["id"].as_str().expect("an id").to_owned(), waba_id.to_owned())
}

async fn quiet() -> Inbox {
    let inbox = Inbox::start().await;
    inbox.behave(json!({"statuses": []})).await;
    inbox.customer_writes(ANA, "Hi").await;
    inbox
}

#[tokio::test]
async fn r_msg_8_each_status_is_set_the_first_time_and_nothing_is_inferred() {
    let inbox = quiet().await;
    let (_, id) = sent(&inbox, "Hello").await;
    let shown = || async { message_of(&inbox, ANA, &id).await["waba_statuses"].clone() };
    assert_eq!(shown().await, json!({"sent": 0, "delivered": 0, "read": 0}));
    inbox.status(&id, ANA, "read", 1_767_693_609).await;
    assert_eq!(shown().await, json!({"sent": 0, "delivered": 0, "read": 1_767_693_609}));
    inbox.status(&id, ANA, "sent", 1_767_693_601).await;
    inbox.status(&id, ANA, "delivered", 1_767_693_602).await;
    inbox.status(&id, ANA, "sent", 1_767_693_700).await;
    inbox.status(&id, ANA, "read", 1_767_693_603).await;
    inbox.status(&id, ANA, "played", 1_767_693_800).await;
    let all = json!({"sent": 1_767_693_601, "delivered": 1_767_693_602, "read": 1_767_693_609});
    assert_eq!(shown().await, all);
    let message = message_of(&inbox, ANA, &id).await;
    assert_eq!(message["is_failed"], false);
    assert!(message["waba_payload"].get("errors").is_none(), "R-MSG-14: {message}");
}

#[tokio::test]
async fn r_msg_8_failed_sets_is_failed_and_appends_errors() {
    let inbox = quiet().await;
    let (_, id) = sent(&inbox, "Hello").await;
    for (code, timestamp) in [(131_026, 1_767_693_601), (131_049, 1_767_693_602)] {
        let status = json!({"id": id, "recipient_id": ANA, "status": "failed", "timestamp": timestamp.to_string(),
            "errors": [{"code": code, "title": "Failed", "error_data": {"details": "why"}}]});
        inbox.bring(json!({"statuses": [status]})).await;
    }
    inbox.settle().await;
    let message = message_of(&inbox, ANA, &id).await;
    assert_eq!(message["is_failed"], true);
    let codes: Vec<&Value> =
        message["waba_payload"]["errors"].as_array().unwrap().iter().map(|error| &error["code"]).collect();
    assert_eq!(codes, [131_026, 131_049]);
}

#[tokio::test]
async fn r_msg_9_statuses_never_change_chat_time_or_tags() {
    let inbox = quiet().await;
    let (id, waba_id) = sent(&inbox, "Hello").await;
    let tag = inbox.post(&inbox.admin, "tags/", json!({"name": "vip"})).await.expect(201);
    inbox.post(&inbox.admin, "message_tagging/", json!({"tag": tag["id"], "message": waba_id})).await.expect(201);
    let before = message_of(&inbox, ANA, &waba_id).await;
    // Of another customer, says WhatsApp.
    inbox.status(&waba_id, "351912999999", "delivered", 1_767_693_601).await;
    let after = message_of(&inbox, ANA, &waba_id).await;
    assert_eq!(after["waba_statuses"]["delivered"], 1_767_693_601);
    assert_eq!(after["id"], id.as_str());
    for key in ["tags", "chat_tags", "customer_wa_id", "contact", "waba_payload"] {
        assert_eq!(after[key], before[key], "{key}");
    }
    assert_eq!(after["tags"].as_array().unwrap().len(), 1);
    assert_eq!(inbox.get(&inbox.admin, "chats/351912999999/").await.status, 404);
}

#[tokio::test]
async fn r_msg_9_a_status_before_its_message_is_kept_and_applied_later() {
    let inbox = Inbox::start().await;
    inbox.status("wamid.early", ANA, "delivered", 1_767_693_602).await;
    inbox.status("wamid.early", ANA, "sent", 1_767_693_601).await;
    // R-CHAT-6: a status makes no chat.
    assert_eq!(inbox.get(&inbox.admin, &format!("chats/{ANA}/")).await.status, 404);
    simulate(&inbox, json!({"type": "echo", "from": ANA, "text": "From the phone", "id": "wamid.early"})).await;
    let message = message_of(&inbox, ANA, "wamid.early").await;
    assert_eq!(message["waba_statuses"], json!({"sent": 1_767_693_601, "delivered": 1_767_693_602, "read": 0}));
}

#[tokio::test]
async fn r_msg_9_a_status_that_overtakes_the_answer_is_applied() {
    let inbox = quiet().await;
    inbox.behave(json!({"hang": {"count": 1, "ms": 2_000}})).await;
    let body = json!({"wa_id": ANA, "type": "text", "text": {"body": "Slow"}});
    let overtake = async {
        let id = loop {
            let delivered = inbox.delivered().await;
            if let Some(id) = delivered["messages"][0]["id"].as_str() {
                break id.to_owned();
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        };
        // Without our data, so that only WhatsApp's id leads to the message.
        inbox.status(&id, ANA, "sent", 1_767_693_601).await;
        id
    };
    let (sent, id) = tokio::join!(inbox.post(&inbox.admin, "messages/", body), overtake);
    let sent = sent.expect(201);
    assert_eq!(sent["waba_response"]["messages"][0]["id"], id);
    inbox.settle().await;
    assert_eq!(message_of(&inbox, ANA, &id).await["waba_statuses"]["sent"], 1_767_693_601);
    assert_eq!(messages_of(&inbox, ANA).await.len(), 2);
}
