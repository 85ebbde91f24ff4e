//! The business profile, in Cloud's form and the on-premises one.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{self, Data, Json, ServiceConfig},
};
use serde_json::{Map, Value, json};

use super::{
    account::gone_wrong,
    fault,
    messages::{PREFIXES, bearer, by_key, invalid_key},
    state::State,
};

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/whatsapp_business_profile").get(of_partner).post(set_of_partner))
        .service(web::resource("/v1/settings/business/profile").get(business).post(set_business))
        .service(web::resource("/v1/settings/profile/about").get(about).patch(set_about));
    for prefix in PREFIXES {
        let path = format!("{prefix}/{{id}}/whatsapp_business_profile");
        config.service(web::resource(path).get(of_graph).post(set_of_graph));
    }
}

/// The number that the request may speak for.
fn number(state: &State, request: &HttpRequest) -> Option<String> {
    let id = request.match_info().query("id");
    if id.is_empty() {
        return by_key(state, request).map(|number| number.phone_number_id);
    }
    let known = state.lock().number(id).cloned()?;
    (bearer(request) == Some(&known.access_token)).then_some(known.phone_number_id)
}

fn told(state: &State, number: &str) -> Map<String, Value> {
    state.lock().profiles.get(number).cloned().unwrap_or_default()
}

fn take(state: &State, number: &str, fields: &Value, flat: bool) -> HttpResponse {
    let vertical = fields["vertical"].as_str();
    if vertical.is_some_and(|vertical| vertical.is_empty() || (!flat && vertical.contains(char::is_lowercase))) {
        return fault::answer(100, "Param vertical must be one of the known values.", flat);
    }
    let mut memory = state.lock();
    let profile = memory.profiles.entry(number.to_owned()).or_default();
    for (name, value) in fields.as_object().into_iter().flatten() {
        if name != "messaging_product" {
            profile.insert(name.clone(), value.clone());
        }
    }
    HttpResponse::Ok().json(json!({ "success": true }))
}

async fn of_graph(state: Data<State>, request: HttpRequest) -> HttpResponse {
    let Some(number) = number(&state, &request) else { return fault::answer(190, "", false) };
    if let Some(wrong) = gone_wrong(&state, "get profile", false).await {
        return wrong;
    }
    let mut profile = told(&state, &number);
    profile.insert("messaging_product".to_owned(), "whatsapp".into());
    HttpResponse::Ok().json(json!({ "data": [profile] }))
}

async fn set_of_graph(state: Data<State>, request: HttpRequest, fields: Json<Value>) -> HttpResponse {
    let Some(number) = number(&state, &request) else { return fault::answer(190, "", false) };
    if let Some(wrong) = gone_wrong(&state, "set profile", false).await {
        return wrong;
    }
    if fields["messaging_product"] != "whatsapp" {
        return fault::answer(100, "The parameter messaging_product is required.", false);
    }
    take(&state, &number, &fields, false)
}

async fn of_partner(state: Data<State>, request: HttpRequest) -> HttpResponse {
    if by_key(&state, &request).is_none() {
        return HttpResponse::Unauthorized().json(invalid_key());
    }
    of_graph(state, request).await
}

async fn set_of_partner(state: Data<State>, request: HttpRequest, fields: Json<Value>) -> HttpResponse {
    if by_key(&state, &request).is_none() {
        return HttpResponse::Unauthorized().json(invalid_key());
    }
    set_of_graph(state, request, fields).await
}

async fn business(state: Data<State>, request: HttpRequest) -> HttpResponse {
    let Some(number) = number(&state, &request) else { return HttpResponse::Unauthorized().json(invalid_key()) };
    if let Some(wrong) = gone_wrong(&state, "get profile", true).await {
        return wrong;
    }
    let mut profile = told(&state, &number);
    profile.remove("about");
    HttpResponse::Ok().json(json!({ "settings": { "business": { "profile": profile } } }))
}

async fn set_business(state: Data<State>, request: HttpRequest, fields: Json<Value>) -> HttpResponse {
    let Some(number) = number(&state, &request) else { return HttpResponse::Unauthorized().json(invalid_key()) };
    if let Some(wrong) = gone_wrong(&state, "set profile", true).await {
        return wrong;
    }
    take(&state, &number, &fields, true)
}

async fn about(state: Data<State>, request: HttpRequest) -> HttpResponse {
    let Some(number) = number(&state, &request) else { return HttpResponse::Unauthorized().json(invalid_key()) };
    if let Some(wrong) = gone_wrong(&state, "get about", true).await {
        return wrong;
    }
    let text = told(&state, &number).remove("about").unwrap_or_else(|| "".into());
    HttpResponse::Ok().json(json!({ "settings": { "profile": { "about": { "text": text } } } }))
}

async fn set_about(state: Data<State>, request: HttpRequest, fields: Json<Value>) -> HttpResponse {
    let Some(number) = number(&state, &request) else { return HttpResponse::Unauthorized().json(invalid_key()) };
    if let Some(wrong) = gone_wrong(&state, "set about", true).await {
        return wrong;
    }
    take(&state, &number, &json!({ "about": fields["text"] }), true)
}
