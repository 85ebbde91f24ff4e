//! Every type of message of §6.3, in both forms: readable as it came, with a link where it is a medium, never with `to`.

use serde_json::{Value, json};

use super::{at_channel, message_of, messages_of, person, quarantined, simulate};
use crate::harness::inbox::{Inbox, contact, now};

/// The keys under which media come.
const MEDIA: [&str; 6] = ["image", "video", "audio", "voice", "document", "sticker"];

/// Type, key of its object, object.
fn contents() -> Vec<(&'static str, &'static str, Value)> {
    let error = json!([{"code": 131_051, "title": "Message type unknown", "details": "Not supported"}]);
    vec![
        ("text", "text", json!({"body": "Olá\n\"você\" \u{1f44d}"})),
        ("image", "image", json!({"id": "11", "mime_type": "image/jpeg", "sha256": "9b2e", "caption": "receipt"})),
        ("video", "video", json!({"id": "12", "mime_type": "video/mp4", "sha256": "9b2e"})),
        ("audio", "audio", json!({"id": "13", "mime_type": "audio/ogg; codecs=opus", "sha256": "9b2e", "voice": true})),
        ("voice", "voice", json!({"id": "0190f3a2-6000", "mime_type": "audio/ogg", "sha256": "9b2e", "file": "/x"})),
        ("document", "document", json!({"id": "14", "mime_type": "application/pdf", "filename": "a.pdf"})),
        ("sticker", "sticker", json!({"id": "15", "mime_type": "image/webp", "animated": false})),
        (
            "location",
            "location",
            json!({"latitude": 38.7223, "longitude": -9.139_30, "name": "Lisbon", "url": "https://x"}),
        ),
        ("contacts", "contacts", json!([{"name": {"formatted_name": "Bruno"}, "phones": [{"phone": "+351 912"}]}])),
        ("interactive", "interactive", json!({"type": "button_reply", "button_reply": {"id": "y", "title": "Yes"}})),
        (
            "interactive",
            "interactive",
            json!({"type": "list_reply", "list_reply": {"id": "b", "title": "Blue", "description": "Sea"}}),
        ),
        (
            "interactive",
            "interactive",
            json!({"type": "nfm_reply", "nfm_reply": {"name": "flow", "body": "Sent", "response_json": "{\"a\":1}"}}),
        ),
        ("button", "button", json!({"text": "Yes", "payload": "yes"})),
        (
            "order",
            "order",
            json!({"catalog_id": "300", "text": "Please", "product_items": [
            {"product_retailer_id": "sku", "quantity": 2, "item_price": 9.90, "currency": "EUR"}]}),
        ),
        ("reaction", "reaction", json!({"message_id": "wamid.other", "emoji": "\u{1f44d}"})),
        ("reaction", "reaction", json!({"message_id": "wamid.other"})),
        ("unsupported", "errors", error.clone()),
        ("unknown", "errors", error.clone()),
        ("ephemeral", "errors", error),
        ("hologram", "hologram", json!({"depth": 3, "\u{e9}": [null, 1.50, "x"]})),
    ]
}

/// The messages, each from a customer of its own.
fn messages(prefix: &str, first: i64) -> Vec<Value> {
    let with = |(index, (kind, key, object)): (usize, (&str, &str, Value))| {
        let from = (first + i64::try_from(index).unwrap()).to_string();
        let (id, timestamp) = (format!("{prefix}.{index}"), now().to_string());
        let mut message = json!({"from": from, "id": id, "timestamp": timestamp, "type": kind});
        message[key] = object;
        message["referral"] = json!({"source_type": "ad", "source_id": "7", "ctwa_clid": "c", "headline": "Sale"});
        message["identity"] = json!({"acknowledged": true, "hash": "h"});
        message["to"] = json!("351210000000");
        message
    };
    contents().into_iter().enumerate().map(with).collect()
}

async fn are_readable(inbox: &Inbox, sent: &[Value]) {
    for raw in sent {
        let from = raw["from"].as_str().unwrap();
        let message = message_of(inbox, from, raw["id"].as_str().unwrap()).await;
        let mut shown = message["waba_payload"].clone();
        for key in MEDIA.iter().filter(|key| raw.get(**key).is_some()) {
            let link = shown[*key].as_object_mut().unwrap().remove("link").expect("media have a link");
            let link = link.as_str().unwrap().to_owned();
            let own = format!("{}/api/v1/media/{}/", inbox.http.base_url, raw[*key]["id"].as_str().unwrap());
            assert!(link.starts_with(&own), "{link}");
        }
        let mut expected = raw.clone();
        // R-MSG-14: an incoming object never has `to`.
        expected.as_object_mut().unwrap().remove("to");
        assert_eq!(shown, expected);
        assert_eq!(message["from_us"], false);
        assert_eq!(message["sender"], Value::Null);
        assert_eq!(message["waba_statuses"], json!({"sent": 0, "delivered": 0, "read": 0}));
        assert_eq!(message["is_failed"], false, "{raw}");
        assert_eq!(message["customer_wa_id"], from);
        // R-WIN-2: a message of any type opens the window.
        assert!(person(inbox, from).await["messaging_window_expires_at"].is_number(), "{raw}");
    }
    assert!(quarantined(inbox).await.is_empty(), "{:?}", quarantined(inbox).await);
}

#[tokio::test]
async fn r_6_3_every_type_in_the_cloud_form_is_readable_as_it_came() {
    let inbox = Inbox::start().await;
    let messages = messages("wamid", 351_912_001_000);
    inbox.bring(json!({"messages": messages})).await;
    inbox.settle().await;
    are_readable(&inbox, &messages).await;
}

#[tokio::test]
async fn r_6_3_every_type_in_the_flat_form_is_readable_as_it_came() {
    let inbox = Inbox::start().await;
    let messages = messages("gBGGF", 351_912_002_000);
    for message in &messages {
        let body = json!({"contacts": [contact(message["from"].as_str().unwrap(), "Ana")], "messages": [message]});
        assert_eq!(at_channel(&inbox, &inbox.channel_secret, &body.to_string()).await.status, 200);
    }
    inbox.settle().await;
    are_readable(&inbox, &messages).await;
}

#[tokio::test]
async fn r_6_3_every_type_of_the_simulator_is_readable_through_both_doors() {
    let inbox = Inbox::start().await;
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
        "button_reply",
        "list_reply",
        "nfm_reply",
        "interactive",
        "button",
        "order",
        "reaction",
        "system",
        "unsupported",
        "unknown",
        "ephemeral",
    ];
    for (form, first) in [("cloud", 351_912_003_000_i64), ("flat", 351_912_004_000)] {
        for (index, kind) in (0_i64..).zip(kinds) {
            let from = (first + index).to_string();
            let received = simulate(&inbox, json!({"type": kind, "from": from, "form": form})).await;
            let message = message_of(&inbox, &from, received["id"].as_str().unwrap()).await;
            let payload = &message["waba_payload"];
            let sent_as = if kind.ends_with("_reply") { "interactive" } else { kind };
            assert_eq!(payload["type"], sent_as, "{form} {kind}");
            assert_eq!(payload["from"], from, "{form} {kind}");
            assert!(payload.get("to").is_none(), "{form} {kind}");
            let has_link = payload[sent_as]["link"].is_string();
            assert_eq!(has_link, MEDIA.contains(&kind), "{form} {kind}: {payload}");
        }
    }
    assert!(quarantined(&inbox).await.is_empty());
}

#[tokio::test]
async fn r_in_7_an_unknown_type_is_stored_as_is_even_without_one() {
    let inbox = Inbox::start().await;
    let from = "351912005000";
    let odd = [
        json!({"from": from, "id": "wamid.1", "timestamp": now().to_string(), "type": "from_the_future", "x": {"y": 1}}),
        json!({"from": from, "id": "wamid.2", "timestamp": now().to_string()}),
        json!({"from": from, "id": "wamid.3", "timestamp": now().to_string(), "type": 7}),
        json!({"from": from, "id": "wamid.4", "timestamp": now().to_string(), "type": "image", "image": "no object"}),
        json!({"from": from, "id": "wamid.5", "timestamp": now().to_string(), "type": "text", "text": null}),
    ];
    for message in &odd {
        inbox.bring(json!({"messages": [message]})).await;
    }
    inbox.settle().await;
    for message in &odd {
        let shown = message_of(&inbox, from, message["id"].as_str().unwrap()).await;
        assert_eq!(shown["waba_payload"], *message);
    }
    assert!(person(&inbox, from).await["messaging_window_expires_at"].is_number());
    let chat = inbox.get(&inbox.admin, &format!("chats/{from}/")).await.expect(200);
    assert_eq!(chat["new_messages"], 5);
}

#[tokio::test]
async fn r_6_3_several_entries_and_changes_come_in_one_call() {
    let inbox = Inbox::start().await;
    let from = "351912006000";
    let entry = |ids: [&str; 2]| {
        let change = |id: &str| {
            let message = crate::harness::inbox::text_message(from, id, now(), "Hi");
            inbox.call(json!({"messages": [message]}))["entry"][0]["changes"][0].clone()
        };
        json!({"id": "1", "time": now(), "changes": ids.map(change)})
    };
    let body = json!({"object": "whatsapp_business_account", "entry": [entry(["w.1", "w.2"]), entry(["w.3", "w.4"])]});
    assert_eq!(inbox.deliver(&body.to_string()).await.status, 200);
    inbox.settle().await;
    let ids: Vec<Value> = messages_of(&inbox, from).await.iter().map(|m| m["waba_payload"]["id"].clone()).collect();
    assert_eq!(ids, ["w.4", "w.3", "w.2", "w.1"], "newest first, the later one first where times are equal");
}

#[tokio::test]
async fn r_6_3_a_context_is_the_quoted_message_or_its_reference() {
    let inbox = Inbox::start().await;
    let from = "351912007000";
    let quoted = inbox.customer_writes(from, "What colours?").await;
    let answer = simulate(&inbox, json!({"type": "text", "from": from, "text": "Blue", "context": quoted})).await;
    let message = message_of(&inbox, from, answer["id"].as_str().unwrap()).await;
    assert_eq!(message["context"]["waba_payload"]["id"], quoted);
    assert_eq!(message["context"]["context"], Value::Null);
    let answer = simulate(&inbox, json!({"type": "text", "from": from, "text": "Red", "context": "wamid.gone"})).await;
    let message = message_of(&inbox, from, answer["id"].as_str().unwrap()).await;
    assert_eq!(message["context"]["id"], "wamid.gone");
}
