//! Checks numbers as the on-premises API does: what has 7 to 15 digits is on WhatsApp. Asked without waiting, it says
//! that it is looking the first time.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{self, Data, Json, ServiceConfig},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    behaviour::Instead,
    fault,
    messages::{by_key, invalid_key},
    state::State,
};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.route("/v1/contacts", web::post().to(check));
}

#[derive(Deserialize)]
struct Numbers {
    #[serde(default)]
    blocking: String,
    contacts: Vec<String>,
    #[serde(default)]
    force_check: bool,
}

async fn check(state: Data<State>, request: HttpRequest, numbers: Json<Numbers>) -> HttpResponse {
    if by_key(&state, &request).is_none() {
        return HttpResponse::Unauthorized().json(invalid_key());
    }
    let mut memory = state.lock();
    if let Some(Instead::Http(fault)) = memory.behaviour.next_fault() {
        return fault::of_http(fault.status, fault.bare, true, fault.retry_after);
    }
    let waits = numbers.blocking == "wait" || numbers.force_check;
    let one = |input: &String| -> Value {
        let known = !memory.checked.insert(input.clone());
        let digits: String = input.chars().filter(char::is_ascii_digit).collect();
        let on_whatsapp = (7..=15).contains(&digits.len()) && !digits.starts_with('0');
        match (known || waits, on_whatsapp) {
            (false, _) => json!({"input": input, "status": "processing"}),
            (true, true) => json!({"input": input, "status": "valid", "wa_id": digits}),
            (true, false) => json!({"input": input, "status": "invalid"}),
        }
    };
    // In another order than asked, as nobody promised one.
    let contacts: Vec<Value> = numbers.contacts.iter().rev().map(one).collect();
    HttpResponse::Ok().json(json!({ "contacts": contacts, "meta": {"version": "v2.57.2"} }))
}
