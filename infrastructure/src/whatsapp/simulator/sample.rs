//! Content of every type of message, for those who do not care what it is.

use actix_web::web::Bytes;
use serde_json::{Value, json};

use super::state::State;

/// A picture of one pixel.
const PNG: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, 0x49, 0x48, 0x44, 0x52, 0, 0, 0, 1, 0, 0, 0, 1, 8,
    6, 0, 0, 0, 0x1f, 0x15, 0xc4, 0x89, 0, 0, 0, 0x0a, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0, 1, 0, 0, 5, 0, 1,
    0x0d, 0x0a, 0x2d, 0xb4, 0, 0, 0, 0, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
];

/// WhatsApp's type, the key of its object, and an object.
pub(super) fn of<'k>(state: &State, kind: &'k str, flat: bool) -> (&'k str, &'k str, Value) {
    let file = |mime_type: &str, bytes: &'static [u8]| {
        let id = state.lock().keep(mime_type.to_owned(), Bytes::from_static(bytes));
        let sha256 = state.lock().media.get(&id).map(|media| media.sha256.clone());
        json!({ "id": id, "mime_type": mime_type, "sha256": sha256 })
    };
    let object = match kind {
        "text" => json!({ "body": "Hello" }),
        "image" => file("image/png", PNG),
        "video" => file("video/mp4", b"simulated video"),
        "audio" | "voice" => {
            let mut audio = file("audio/ogg; codecs=opus", b"OggS simulated");
            if !flat && kind == "audio" {
                audio["voice"] = true.into();
            }
            audio
        }
        "document" => {
            let mut document = file("application/pdf", b"%PDF-1.4 simulated");
            document["filename"] = "order.pdf".into();
            document
        }
        "sticker" => {
            let mut sticker = file("image/webp", b"RIFF simulated");
            sticker["animated"] = false.into();
            sticker
        }
        "location" => json!({ "latitude": 38.7223, "longitude": -9.1393, "name": "Lisbon", "address": "Rossio" }),
        "contacts" => json!([{
            "name": { "formatted_name": "Bruno Costa", "first_name": "Bruno" },
            "phones": [{ "phone": "+351 912 000 222", "wa_id": "351912000222", "type": "CELL" }],
        }]),
        "button_reply" => return reply(kind, json!({ "id": "yes", "title": "Yes" })),
        "list_reply" => return reply(kind, json!({ "id": "blue", "title": "Blue", "description": "Like the sea" })),
        "nfm_reply" => {
            return reply(kind, json!({ "name": "flow", "body": "Sent", "response_json": "{\"flow_token\":\"t\"}" }));
        }
        "interactive" => json!({ "type": "button_reply", "button_reply": { "id": "yes", "title": "Yes" } }),
        "button" => json!({ "text": "Yes", "payload": "yes" }),
        "order" => json!({ "catalog_id": "300", "text": "Please", "product_items": [
            { "product_retailer_id": "sku-1", "quantity": 2, "item_price": 9.9, "currency": "EUR" },
        ] }),
        "reaction" => json!({ "message_id": "wamid.unknown", "emoji": "\u{1f44d}" }),
        "system" => {
            json!({ "body": "The customer changed the number", "type": "user_changed_number", "wa_id": "351912000999" })
        }
        "unsupported" | "unknown" | "ephemeral" => {
            let error = json!({ "code": 131_051, "title": "Message type unknown", "message": "Message type unknown",
                                "error_data": { "details": "Message type is currently not supported." } });
            return (kind, "errors", json!([error]));
        }
        _ => json!({}),
    };
    (kind, kind, object)
}

fn reply(kind: &str, object: Value) -> (&'static str, &'static str, Value) {
    ("interactive", "interactive", json!({ "type": kind, kind: object }))
}

/// The object as it was asked for: a string is the main field, an object adds to ours, anything else replaces it.
pub(super) fn completed(kind: &str, mut object: Value, given: Option<Value>) -> Value {
    let target = match kind {
        "button_reply" | "list_reply" | "nfm_reply" => &mut object[kind],
        _ => &mut object,
    };
    match given {
        None => {}
        Some(Value::String(main)) => target[main_field(kind)] = main.into(),
        Some(Value::Object(given)) if target.is_object() && !given.contains_key("type") => {
            for (name, value) in given {
                target[name] = value;
            }
        }
        Some(given) => *target = given,
    }
    object
}

fn main_field(kind: &str) -> &'static str {
    match kind {
        "text" | "system" => "body",
        "image" | "video" | "document" => "caption",
        "reaction" => "emoji",
        "location" => "name",
        "button_reply" | "list_reply" => "title",
        "nfm_reply" => "response_json",
        _ => "text",
    }
}
