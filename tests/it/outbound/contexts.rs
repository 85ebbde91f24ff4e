//! Quotes: by our id or by WhatsApp's, WhatsApp gets its own.

use serde_json::{Value, json};

use super::{RUI, delivered, message, open, send, text};

fn quoting(id: &Value) -> Value {
    let mut body = text(RUI, "As you said");
    body["context"] = json!({"message_id": id});
    body
}

#[tokio::test]
async fn r_6_4_a_context_by_either_id_reaches_whatsapp_as_its_own() {
    let inbox = open().await;
    let theirs = inbox.customer_writes(RUI, "Blue?").await;
    let page = inbox.get(&inbox.admin, &format!("messages/{RUI}/?limit=1")).await.expect(200);
    let ours = &page["results"][0]["id"];
    for id in [&json!(theirs), ours] {
        let sent = send(&inbox, quoting(id)).await.expect(201);
        let wire = delivered(&inbox).await.pop().unwrap();
        assert_eq!(wire["context"], json!({"message_id": theirs}), "{id}");
        let shown = message(&inbox, RUI, &sent["id"]).await;
        assert_eq!(shown["context"]["id"], *ours, "{shown}");
        assert_eq!(shown["context"]["waba_payload"]["id"], theirs);
    }
}

#[tokio::test]
async fn r_6_4_our_own_message_can_be_quoted_and_reacted_to_by_our_id() {
    let inbox = open().await;
    let first = send(&inbox, text(RUI, "First")).await.expect(201);
    let waba_id = &first["waba_response"]["messages"][0]["id"];
    send(&inbox, quoting(&first["id"])).await.expect(201);
    assert_eq!(delivered(&inbox).await[1]["context"]["message_id"], *waba_id);
    let reaction = json!({"wa_id": RUI, "type": "reaction", "reaction": {"message_id": first["id"], "emoji": "x"}});
    send(&inbox, reaction).await.expect(201);
    assert_eq!(delivered(&inbox).await[2]["reaction"]["message_id"], *waba_id);
}

#[tokio::test]
async fn r_6_4_a_quote_of_what_we_do_not_hold_goes_out_as_given() {
    let inbox = open().await;
    send(&inbox, quoting(&json!("wamid.before_our_time"))).await.expect(201);
    assert_eq!(delivered(&inbox).await[0]["context"]["message_id"], "wamid.before_our_time");
    let body = send(&inbox, json!({"wa_id": RUI, "text": {"body": "x"}, "context": {}})).await.expect(400);
    assert!(body["context"].is_object(), "{body}");
}
