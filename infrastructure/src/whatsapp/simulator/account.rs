//! Misbehaviour of calls about the account (the number, templates, the business profile), and how often each was called;
//! and what is told of a number.

use actix_web::{HttpRequest, HttpResponse, rt};
use serde_json::json;

use super::{
    fault,
    messages::{bearer, cut},
    state::State,
};

/// Counts a call; the answer instead of the right one, where it is to go wrong.
pub(super) async fn gone_wrong(state: &State, what: &str, flat: bool) -> Option<HttpResponse> {
    let behaviour = {
        let mut memory = state.lock();
        *memory.calls.entry(what.to_owned()).or_default() += 1;
        memory.behaviour.account.clone()?
    };
    if let Some(delay) = behaviour.delay_ms {
        rt::time::sleep(std::time::Duration::from_millis(delay)).await;
    }
    if behaviour.cut {
        return Some(cut());
    }
    if let Some(code) = behaviour.code {
        return Some(fault::answer(code, "", flat));
    }
    behaviour.status.map(|status| fault::of_http(status, behaviour.bare, flat, None))
}

/// What is told of a number to whoever has its token; `None` when the id is not a number's, or a partner asks.
pub(super) async fn number(state: &State, request: &HttpRequest, id: &str) -> Option<HttpResponse> {
    let number = state.lock().number(id).cloned()?;
    if request.headers().contains_key("d360-api-key") {
        return None;
    }
    if bearer(request) != Some(&number.access_token) {
        return Some(fault::answer(190, "", false));
    }
    if let Some(wrong) = gone_wrong(state, "get number", false).await {
        return Some(wrong);
    }
    let entity = |kind: &str, id: &str| json!({ "entity_type": kind, "id": id, "can_send_message": "AVAILABLE" });
    Some(HttpResponse::Ok().json(json!({
        "id": number.phone_number_id,
        "display_phone_number": number.display_phone_number,
        "verified_name": "Simulated business",
        "quality_rating": "GREEN",
        "health_status": {
            "can_send_message": "AVAILABLE",
            "entities": [entity("PHONE_NUMBER", &number.phone_number_id), entity("WABA", &number.waba_id)],
        },
    })))
}
