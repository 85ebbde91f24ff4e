//! Every type of §G reaches WhatsApp in WhatsApp's form.

use serde_json::{Value, json};

use super::{RUI, delivered, message, open, send};

/// Type, the client's object, and type and object as WhatsApp must get them.
fn contents() -> Vec<(&'static str, Value, &'static str, Value)> {
    let same = |kind: &'static str, object: Value| (kind, object.clone(), kind, object);
    let link = "https://cdn.example/file";
    let button = json!({"type": "reply", "reply": {"id": "1", "title": "Yes"}});
    vec![
        same("text", json!({"body": "Olá \u{1f44d}", "preview_url": true})),
        same("image", json!({"link": link, "caption": "Look"})),
        same("video", json!({"id": "4711", "caption": "Look"})),
        same("audio", json!({"link": link})),
        ("voice", json!({"link": link}), "audio", json!({"link": link})),
        same("document", json!({"link": link, "filename": "order.pdf", "caption": "Yours"})),
        same("sticker", json!({"id": "4712"})),
        ("image", json!({"link": link, "mime_type": "image/png"}), "image", json!({"link": link})),
        same("location", json!({"latitude": 38.7223, "longitude": -9.1393, "name": "Lisbon", "address": "Rossio"})),
        same("contacts", json!([{"name": {"formatted_name": "Bruno Costa"}, "phones": [{"phone": "+351 912"}]}])),
        (
            "template",
            json!({"name": "ola", "namespace": "c8ae", "language": {"code": "pt_PT", "policy": "deterministic"},
                "components": [{"type": "body", "parameters": [{"type": "text", "text": "Ana"}]}]}),
            "template",
            json!({"name": "ola", "language": {"code": "pt_PT", "policy": "deterministic"},
                "components": [{"type": "body", "parameters": [{"type": "text", "text": "Ana"}]}]}),
        ),
        (
            "hsm",
            json!({"namespace": "c8ae", "element_name": "order_update",
                "language": {"code": "en", "policy": "deterministic"},
                "localizable_params": [{"default": "Ana"}, {"default": "#42"}]}),
            "template",
            json!({"name": "order_update", "language": {"policy": "deterministic", "code": "en"},
                "components": [{"type": "body", "parameters": [
                    {"type": "text", "text": "Ana"}, {"type": "text", "text": "#42"}]}]}),
        ),
        same("interactive", json!({"type": "button", "body": {"text": "Well?"}, "action": {"buttons": [button]}})),
        same(
            "interactive",
            json!({"type": "cta_url", "body": {"text": "Go"}, "action": {"name": "cta_url",
            "parameters": {"display_text": "Go", "url": "https://a.example"}}}),
        ),
        same("reaction", json!({"message_id": "wamid.theirs", "emoji": "\u{1f44d}"})),
        same("reaction", json!({"message_id": "wamid.theirs", "emoji": ""})),
    ]
}

#[tokio::test]
async fn r_6_4_every_type_reaches_whatsapp_in_its_form() {
    let inbox = open().await;
    for (index, (kind, object, sent_kind, sent_object)) in contents().into_iter().enumerate() {
        let mut body = json!({"wa_id": RUI, "type": kind});
        body[kind] = object.clone();
        let sent = send(&inbox, body).await.expect(201);
        let all = delivered(&inbox).await;
        assert_eq!(all.len(), index + 1, "{kind}");
        let wire = &all[index];
        assert_eq!(wire["messaging_product"], "whatsapp", "{kind}");
        assert_eq!(wire["recipient_type"], "individual", "{kind}");
        assert_eq!(wire["to"], RUI, "{kind}");
        assert_eq!(wire["type"], sent_kind, "{kind}");
        assert_eq!(wire[sent_kind], sent_object, "{kind}");
        assert!(wire.get("wa_id").is_none() && wire.get("pending_message_unique_id").is_none(), "{wire}");
        // Stored as the client wrote it, but for `hsm`.
        let stored = message(&inbox, RUI, &sent["id"]).await["waba_payload"].clone();
        let stored_kind = if kind == "hsm" { "template" } else { kind };
        assert_eq!(stored["type"], stored_kind);
        match kind {
            "hsm" => {
                assert_eq!(
                    (&stored["template"]["name"], &stored["template"]["namespace"]),
                    (&json!("order_update"), &json!("c8ae"))
                );
                assert!(stored.get("hsm").is_none());
            }
            _ => {
                // Of a file that only WhatsApp has we hold no bytes, so there is no link of ours to it.
                let stored = stored[kind].clone();
                assert_eq!(stored, object);
            }
        }
    }
}

#[tokio::test]
async fn r_gen_4_a_form_sends_what_json_sends() {
    let inbox = open().await;
    let form = [("wa_id", RUI), ("type", "text"), ("text", r#"{"body":"From a form"}"#)];
    let body: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let request = inbox.http.raw.post(inbox.http.url("messages/")).body(body);
    let request = request.header("Content-Type", "application/x-www-form-urlencoded");
    let request = request.header("Authorization", format!("Token {}", inbox.admin.token));
    inbox.http.send(request).await.expect(201);
    assert_eq!(delivered(&inbox).await[0]["text"], json!({"body": "From a form"}));
}
