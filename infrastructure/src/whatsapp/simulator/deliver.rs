//! Sends webhooks as WhatsApp does: signed, and again with the same body until the answer is 200.

use std::time::Duration;

use actix_web::{rt, web};
use serde_json::{Value, json};

use super::state::{SimulatedNumber, State};
use crate::whatsapp::signature::sign;

/// Pauses between tries, in milliseconds; the last one repeats.
const PAUSES: &[u64] = &[100, 300, 1_000, 2_000, 5_000, 10_000];
/// After so many tries a webhook is dropped.
const TRIES: usize = 200;

/// The form of a webhook, and with it its door.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// In the Cloud envelope.
    Cloud,
    /// The lists alone.
    Flat,
}

/// A body in the form: the lists alone, or in the envelope of the number.
pub(super) fn body(form: Form, number: &SimulatedNumber, field: &str, mut lists: Value) -> Value {
    if form == Form::Flat {
        return lists;
    }
    if let Some(value) = lists.as_object_mut().filter(|_| field == "messages" || field.ends_with("echoes")) {
        value.insert("messaging_product".into(), "whatsapp".into());
        let metadata = json!({
            "display_phone_number": number.display_phone_number, "phone_number_id": number.phone_number_id,
        });
        value.insert("metadata".into(), metadata);
    }
    json!({
        "object": "whatsapp_business_account",
        "entry": [{
            "id": number.waba_id,
            "time": chrono::Utc::now().timestamp(),
            "changes": [{ "value": lists, "field": field }],
        }],
    })
}

/// Sends a webhook, with the delay and the duplicates of now; gives back the status of the first answer, 0 for none.
/// Further tries go on in the background.
pub(super) async fn deliver(state: &web::Data<State>, form: Form, body: String) -> u16 {
    let (url, duplicates, delay) = {
        let memory = state.lock();
        let channel = memory.channel_callback_url.clone().filter(|_| form == Form::Flat);
        let behaviour = &memory.behaviour;
        let delay = Duration::from_millis(behaviour.delay_ms.unwrap_or_default());
        (channel.or_else(|| memory.callback_url.clone()), behaviour.duplicates.unwrap_or_default(), delay)
    };
    let Some(url) = url else { return 0 };
    if !delay.is_zero() {
        rt::time::sleep(delay).await;
    }
    let body = web::Bytes::from(body);
    for _ in 0..duplicates {
        rt::spawn(until_taken(state.clone(), url.clone(), body.clone()));
    }
    let first = attempt(state, &url, &body).await;
    if first != 200 {
        rt::spawn(until_taken(state.clone(), url, body));
    }
    first
}

async fn until_taken(state: web::Data<State>, url: String, body: web::Bytes) {
    for n in 0..TRIES {
        if attempt(&state, &url, &body).await == 200 {
            return;
        }
        rt::time::sleep(Duration::from_millis(PAUSES[n.min(PAUSES.len() - 1)])).await;
    }
    tracing::warn!("the simulator gave a webhook up");
}

async fn attempt(state: &State, url: &str, body: &web::Bytes) -> u16 {
    let _place = state.places.acquire().await;
    let sent = state
        .http
        .post(url)
        .header("content-type", "application/json")
        .header("user-agent", "facebookexternalua")
        .header("x-hub-signature-256", sign(&state.app_secret, body))
        .body(body.clone())
        .send()
        .await;
    let status = sent.map(|response| response.status().as_u16()).unwrap_or_default();
    *state.lock().webhooks.entry(status).or_default() += 1;
    status
}
