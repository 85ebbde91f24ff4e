//! The business profile and its photo, in Cloud's form and the on-premises one.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{self, Bytes, Data, Json, Query, ServiceConfig},
};
use serde_json::{Map, Value, json};

use super::{
    account::gone_wrong,
    fault,
    messages::{PREFIXES, bearer, by_key, invalid_key},
    state::{State, number_id},
};

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/whatsapp_business_profile").get(of_partner).post(set_of_partner))
        .service(web::resource("/v1/settings/business/profile").get(business).post(set_business))
        .service(web::resource("/v1/settings/profile/about").get(about).patch(set_about))
        .service(web::resource("/v1/settings/profile/photo").get(photo).post(set_photo).delete(delete_photo))
        .route("/photo/{id}", web::get().to(shown_photo))
        .route("/uploads", web::post().to(begin_upload));
    for prefix in PREFIXES {
        let path = format!("{prefix}/{{id}}/whatsapp_business_profile");
        config.service(web::resource(path).get(of_graph).post(set_of_graph));
        config
            .route(&format!("{prefix}/app/uploads"), web::post().to(begin_upload))
            .route(&format!("{prefix}/{{session:upload:[^/]+}}"), web::post().to(upload));
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
    match fields["profile_picture_handle"].as_str() {
        Some("") => drop(memory.photos.remove(number)),
        Some(handle) => match memory.uploads.remove(handle) {
            Some(photo) => drop(memory.photos.insert(number.to_owned(), photo)),
            None => return fault::answer(100, "Param profile_picture_handle is no handle.", flat),
        },
        None => {}
    }
    let profile = memory.profiles.entry(number.to_owned()).or_default();
    for (name, value) in fields.as_object().into_iter().flatten() {
        if name != "messaging_product" && name != "profile_picture_handle" {
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
    if state.lock().photos.contains_key(&number) {
        profile.insert("profile_picture_url".to_owned(), format!("{}/photo/{number}", state.url).into());
    }
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

/// A kept photo: its type, its bytes.
pub(super) type Photo = (String, Bytes);

fn served(photo: Option<Photo>) -> HttpResponse {
    match photo {
        Some((mime_type, bytes)) => HttpResponse::Ok().content_type(mime_type).body(bytes),
        None => HttpResponse::NotFound().finish(),
    }
}

async fn shown_photo(state: Data<State>, request: HttpRequest) -> HttpResponse {
    served(state.lock().photos.get(request.match_info().query("id")).cloned())
}

async fn photo(state: Data<State>, request: HttpRequest) -> HttpResponse {
    let Some(number) = number(&state, &request) else { return HttpResponse::Unauthorized().json(invalid_key()) };
    if let Some(wrong) = gone_wrong(&state, "get photo", true).await {
        return wrong;
    }
    served(state.lock().photos.get(&number).cloned())
}

async fn set_photo(state: Data<State>, request: HttpRequest, bytes: Bytes) -> HttpResponse {
    let Some(number) = number(&state, &request) else { return HttpResponse::Unauthorized().json(invalid_key()) };
    if let Some(wrong) = gone_wrong(&state, "set photo", true).await {
        return wrong;
    }
    state.lock().photos.insert(number, (content_type(&request), bytes));
    HttpResponse::Created().json(json!({}))
}

async fn delete_photo(state: Data<State>, request: HttpRequest) -> HttpResponse {
    let Some(number) = number(&state, &request) else { return HttpResponse::Unauthorized().json(invalid_key()) };
    if let Some(wrong) = gone_wrong(&state, "set photo", true).await {
        return wrong;
    }
    served(state.lock().photos.remove(&number).map(|_| ("application/json".to_owned(), Bytes::from_static(b"{}"))))
}

fn content_type(request: &HttpRequest) -> String {
    let given = request.headers().get("content-type").and_then(|value| value.to_str().ok());
    given.unwrap_or("application/octet-stream").to_owned()
}

fn is_known(state: &State, request: &HttpRequest) -> bool {
    let token = bearer(request);
    by_key(state, request).is_some() || state.lock().numbers.iter().any(|number| token == Some(&number.access_token))
}

#[derive(serde::Deserialize)]
struct File {
    file_type: String,
}

async fn begin_upload(state: Data<State>, request: HttpRequest, file: Query<File>) -> HttpResponse {
    if !is_known(&state, &request) {
        return fault::answer(190, "", false);
    }
    if let Some(wrong) = gone_wrong(&state, "set photo", false).await {
        return wrong;
    }
    let session = format!("upload:{}", number_id());
    state.lock().uploads.insert(session.clone(), (file.file_type.clone(), Bytes::new()));
    HttpResponse::Ok().json(json!({ "id": format!("{session}?sig=simulated") }))
}

async fn upload(state: Data<State>, request: HttpRequest, bytes: Bytes) -> HttpResponse {
    let session = request.match_info().query("session").to_owned();
    let begun = state.lock().uploads.remove(&session);
    let (Some((mime_type, _)), "sig=simulated") = (begun, request.query_string()) else {
        return fault::answer(100, "Object does not exist", false);
    };
    let handle = format!("4::{}", number_id());
    state.lock().uploads.insert(handle.clone(), (mime_type, bytes));
    HttpResponse::Ok().json(json!({ "h": handle }))
}
