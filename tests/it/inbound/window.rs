//! R-WIN-2, R-WIN-3: what opens the window, and how long.

use serde_json::{Value, json};

use super::{ANA, person, simulate};
use crate::harness::inbox::{Inbox, now};

async fn closes_at(inbox: &Inbox) -> Value {
    person(inbox, ANA).await["messaging_window_expires_at"].clone()
}

#[tokio::test]
async fn r_win_3_an_older_message_that_comes_late_never_shortens_the_window() {
    let inbox = Inbox::start().await;
    let written = now() - 100;
    inbox.customer_wrote(ANA, "newer", written).await;
    inbox.customer_wrote(ANA, "older, late", written - 80_000).await;
    assert_eq!(closes_at(&inbox).await, written + 86_400);
    assert_eq!(person(&inbox, ANA).await["last_message_timestamp"], written);
    inbox.customer_wrote(ANA, "newest", written + 50).await;
    assert_eq!(closes_at(&inbox).await, written + 50 + 86_400);
}

#[tokio::test]
async fn r_win_3_a_future_timestamp_counts_from_its_receipt() {
    let inbox = Inbox::start().await;
    inbox.customer_wrote(ANA, "from tomorrow", now() + 90_000).await;
    let closes = closes_at(&inbox).await.as_i64().unwrap();
    assert!((now() + 86_390..=now() + 86_400).contains(&closes), "{}", closes - now());
}

#[tokio::test]
async fn r_win_2_nothing_but_the_customers_messages_opens_or_extends_the_window() {
    let inbox = Inbox::start().await;
    let written = now() - 90_000;
    inbox.customer_wrote(ANA, "yesterday", written).await;
    let closed = json!(written + 86_400);
    let text = json!({"wa_id": ANA, "type": "text", "text": {"body": "Hi"}});
    let template = json!({"wa_id": ANA, "type": "template",
        "template": {"name": "hello_world", "language": {"code": "en_US"}}});
    let sent = inbox.post(&inbox.admin, "messages/", template).await.expect(201);
    let waba_id = sent["waba_response"]["messages"][0]["id"].as_str().unwrap();
    inbox.status(waba_id, ANA, "delivered", now()).await;
    simulate(&inbox, json!({"type": "echo", "from": ANA})).await;
    simulate(&inbox, json!({"type": "system", "from": ANA})).await;
    let tag = inbox.post(&inbox.admin, "tags/", json!({"name": "vip"})).await.expect(201);
    inbox.post(&inbox.admin, "chat_tagging/", json!({"tag": tag["id"], "chat": ANA})).await.expect(201);
    let assignment = json!({"assigned_to_user": inbox.agent.id.0, "assigned_group": null});
    inbox.put(&inbox.admin, &format!("chat_assignment/{ANA}/"), assignment).await.expect(200);
    assert_eq!(closes_at(&inbox).await, closed);
    assert_eq!(inbox.post(&inbox.admin, "messages/", text.clone()).await.status, 453);
    // A reaction does.
    simulate(&inbox, json!({"type": "reaction", "from": ANA})).await;
    assert_ne!(closes_at(&inbox).await, closed);
    inbox.post(&inbox.admin, "messages/", text).await.expect(201);
}
