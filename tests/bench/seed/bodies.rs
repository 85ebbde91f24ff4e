//! What the seed's people say and what WhatsApp wraps it in: the sizes and shapes of real calls.

use chatledger_domain::{MessageId, RawJson};
use rand::{Rng, rngs::StdRng, seq::IndexedRandom};

/// Names of tags.
pub(super) const TAGS: [&str; 8] = ["order", "return", "invoice", "urgent", "vip", "complaint", "shipping", "lead"];

const FIRST: [&str; 12] =
    ["Eva", "Rui", "Inês", "João", "Marta", "Zoë", "Luís", "Ana", "Piotr", "Fatima", "Chloé", "Jürgen"];
const LAST: [&str; 10] =
    ["Costa", "Silva", "Nowak", "Müller", "Okafor", "Santos", "Ferreira", "Lund", "Haddad", "Petrović"];
const SENTENCES: [&str; 12] = [
    "Is my order ready?",
    "Could you tell me when it ships? I need it before the weekend.",
    "Thank you!",
    "Olá, boa tarde. Tenho uma dúvida sobre a fatura do mês passado.",
    "The parcel arrived, but one of the two boxes is damaged at the corner.",
    "👍",
    "Of course, give me a moment and I will look it up for you.",
    "It left our warehouse this morning and should be with you tomorrow between 9 and 12.",
    "Which size do you have in stock?",
    "Can I pay with MB WAY?",
    "We have refunded the amount to your card; it takes three to five days to show.",
    "Ok",
];

/// A customer's number.
pub(super) fn customer(index: usize) -> String {
    format!("3519{index:08}")
}

/// A first and a last name.
pub(super) fn name(rng: &mut StdRng) -> (&'static str, &'static str) {
    (FIRST.choose(rng).copied().unwrap_or("Eva"), LAST.choose(rng).copied().unwrap_or("Costa"))
}

/// One to three sentences.
pub(super) fn text(rng: &mut StdRng) -> String {
    let count = rng.random_range(1..=3);
    let said: Vec<&str> = SENTENCES.choose_multiple(rng, count).copied().collect();
    said.join(" ")
}

/// An id as WhatsApp makes them.
pub(super) fn waba_id(rng: &mut StdRng) -> String {
    format!("wamid.HBgMMzUxOTEyMDAwMTExFQIAE{:032X}AA==", rng.random::<u128>())
}

/// A customer's message as WhatsApp brings it, with its type.
pub(super) fn incoming(rng: &mut StdRng, from: &str, id: &str, timestamp: i64) -> (&'static str, RawJson) {
    let (kind, content) = match rng.random_range(0..10) {
        0 => {
            let digest = hex::encode(rng.random::<[u8; 32]>());
            let (caption, media) = (text(rng), rng.random_range(10_i64.pow(14)..10_i64.pow(15)));
            let image = serde_json::json!({"caption": caption, "mime_type": "image/jpeg", "sha256": digest,
                "id": media.to_string()});
            ("image", image)
        }
        1 => ("location", serde_json::json!({"latitude": 38.7223, "longitude": -9.1393, "name": "Lisboa"})),
        _ => ("text", serde_json::json!({"body": text(rng)})),
    };
    let message = serde_json::json!({"from": from, "id": id, "timestamp": timestamp.to_string(), "type": kind,
        kind: content});
    (kind, RawJson::from(&message))
}

/// WhatsApp's contact object.
pub(super) fn profile(name: &str, wa_id: &str) -> RawJson {
    RawJson::from(&serde_json::json!({"profile": {"name": name}, "wa_id": wa_id}))
}

/// A message as WhatsApp is asked to send it.
pub(super) fn outgoing(rng: &mut StdRng, to: &str) -> RawJson {
    let message = serde_json::json!({"recipient_type": "individual", "to": to, "type": "text",
        "text": {"body": text(rng)}});
    RawJson::from(&message)
}

/// WhatsApp's answer to a message that it took.
pub(super) fn answer(to: &str, id: &str) -> RawJson {
    let answer = serde_json::json!({"messaging_product": "whatsapp", "contacts": [{"input": to, "wa_id": to}],
        "messages": [{"id": id}]});
    RawJson::from(&answer)
}

/// WhatsApp's report on a message of ours.
pub(super) fn status(to: &str, id: &str, ours: MessageId, status: &str, timestamp: i64) -> RawJson {
    let report = serde_json::json!({"id": id, "status": status, "timestamp": timestamp.to_string(),
        "recipient_id": to, "biz_opaque_callback_data": ours.to_string(),
        "pricing": {"billable": false, "pricing_model": "PMP", "category": "service", "type": "free_customer_service"}});
    RawJson::from(&report)
}
