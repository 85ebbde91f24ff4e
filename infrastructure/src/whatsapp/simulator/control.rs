//! The control paths, for tests, demos and people.

use std::collections::HashMap;

use actix_web::{
    HttpRequest, HttpResponse,
    web::{self, Bytes, Data, Json, Path, Query, ServiceConfig},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Behaviour, SimulatedNumber,
    inbound::{Inbound, receive},
    state::State,
};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(
        web::scope("/simulator")
            .route("/inbound", web::post().to(inbound))
            .route("/behaviour", web::get().to(behaviour))
            .route("/behaviour", web::post().to(behave))
            .route("/messages", web::get().to(messages))
            .route("/reads", web::get().to(reads))
            .route("/media", web::post().to(keep))
            .route("/media/{id}", web::get().to(media))
            .route("/webhooks", web::get().to(webhooks))
            .route("/calls", web::get().to(calls))
            .route("/profiles", web::get().to(profiles))
            .route("/profiles", web::post().to(change_profiles))
            .route("/photos/{number}", web::post().to(set_photo))
            .route("/templates", web::get().to(templates))
            .route("/templates", web::post().to(set_templates))
            .route("/verify", web::post().to(verify))
            .route("/callback", web::post().to(callback))
            .route("/numbers", web::post().to(number))
            .route("/reset", web::post().to(reset)),
    );
}

async fn inbound(state: Data<State>, inbound: Json<Inbound>) -> HttpResponse {
    match receive(&state, inbound.into_inner()).await {
        Ok(received) => HttpResponse::Ok().json(received),
        Err(why) => HttpResponse::BadRequest().json(json!({ "error": why })),
    }
}

async fn behaviour(state: Data<State>) -> HttpResponse {
    HttpResponse::Ok().json(&state.lock().behaviour)
}

async fn behave(state: Data<State>, change: Json<Behaviour>) -> HttpResponse {
    let mut memory = state.lock();
    memory.behaviour.merge(change.into_inner());
    HttpResponse::Ok().json(&memory.behaviour)
}

#[derive(Deserialize)]
struct Filter {
    to: Option<String>,
}

async fn messages(state: Data<State>, filter: Query<Filter>) -> HttpResponse {
    let memory = state.lock();
    let wanted = |to: &str| filter.to.as_deref().is_none_or(|wanted| wanted == to);
    let messages: Vec<_> = memory.delivered.iter().filter(|message| wanted(&message.to)).collect();
    HttpResponse::Ok().json(json!({ "count": messages.len(), "messages": messages }))
}

async fn reads(state: Data<State>) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "reads": state.lock().reads }))
}

#[derive(Deserialize)]
struct Wanted {
    id: Option<String>,
}

async fn keep(state: Data<State>, request: HttpRequest, wanted: Query<Wanted>, bytes: Bytes) -> HttpResponse {
    let mime_type = request.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut memory = state.lock();
    let made = memory.keep(mime_type.to_owned(), bytes);
    let id = wanted.into_inner().id.unwrap_or_else(|| made.clone());
    if let Some(media) = memory.media.remove(&made) {
        memory.media.insert(id.clone(), media);
    }
    let sha256 = memory.media.get(&id).map(|media| media.sha256.clone());
    HttpResponse::Ok().json(json!({ "id": id, "sha256": sha256 }))
}

async fn media(state: Data<State>, id: Path<String>) -> HttpResponse {
    match state.lock().media.get(&*id) {
        Some(media) => HttpResponse::Ok().content_type(media.mime_type.clone()).body(media.bytes.clone()),
        None => HttpResponse::NotFound().finish(),
    }
}

async fn webhooks(state: Data<State>) -> HttpResponse {
    HttpResponse::Ok().json(&state.lock().webhooks)
}

async fn calls(state: Data<State>) -> HttpResponse {
    HttpResponse::Ok().json(&state.lock().calls)
}

async fn profiles(state: Data<State>) -> HttpResponse {
    HttpResponse::Ok().json(&state.lock().profiles)
}

async fn change_profiles(state: Data<State>, changes: Json<HashMap<String, Map<String, Value>>>) -> HttpResponse {
    let mut memory = state.lock();
    for (number, fields) in changes.into_inner() {
        memory.profiles.entry(number).or_default().extend(fields);
    }
    HttpResponse::Ok().json(&memory.profiles)
}

async fn set_photo(state: Data<State>, number: Path<String>, bytes: Bytes) -> HttpResponse {
    state.lock().photos.insert(number.into_inner(), ("image/jpeg".to_owned(), bytes));
    HttpResponse::Ok().json(json!({}))
}

async fn templates(state: Data<State>) -> HttpResponse {
    HttpResponse::Ok().json(&state.lock().templates)
}

async fn set_templates(state: Data<State>, templates: Json<Vec<Value>>) -> HttpResponse {
    let mut memory = state.lock();
    memory.templates = templates.into_inner();
    HttpResponse::Ok().json(&memory.templates)
}

async fn verify(state: Data<State>) -> HttpResponse {
    let Some(url) = state.lock().callback_url.clone() else {
        return HttpResponse::BadRequest().json(json!({ "error": "no callback is set" }));
    };
    let challenge = rand::random::<u32>().to_string();
    let query = [("hub.mode", "subscribe"), ("hub.verify_token", &state.verify_token), ("hub.challenge", &challenge)];
    match state.http.get(url).query(&query).send().await {
        Ok(answer) => {
            let status = answer.status().as_u16();
            let echoed = answer.text().await.unwrap_or_default();
            HttpResponse::Ok().json(json!({ "status": status, "ok": status == 200 && echoed == challenge }))
        }
        Err(error) => HttpResponse::BadGateway().json(json!({ "error": error.to_string() })),
    }
}

#[derive(Deserialize)]
struct Callback {
    url: Option<String>,
    channel_url: Option<String>,
}

async fn callback(state: Data<State>, callback: Json<Callback>) -> HttpResponse {
    let mut memory = state.lock();
    let Callback { url, channel_url } = callback.into_inner();
    memory.callback_url = url.or(memory.callback_url.take());
    memory.channel_callback_url = channel_url.or(memory.channel_callback_url.take());
    HttpResponse::Ok().json(json!({ "url": memory.callback_url, "channel_url": memory.channel_callback_url }))
}

async fn number(state: Data<State>, number: Json<SimulatedNumber>) -> HttpResponse {
    let number = number.into_inner();
    state.lock().add_number(number.clone());
    HttpResponse::Ok().json(number)
}

async fn reset(state: Data<State>) -> HttpResponse {
    let mut memory = state.lock();
    memory.behaviour = Behaviour::default();
    memory.delivered.clear();
    memory.reads.clear();
    memory.webhooks.clear();
    memory.calls.clear();
    HttpResponse::Ok().json(json!({}))
}
