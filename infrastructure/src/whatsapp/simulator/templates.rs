//! Message templates: list, create (approved by webhook), delete.

use actix_web::{
    HttpRequest, HttpResponse, rt,
    web::{self, Data, Json, Query, ServiceConfig},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    deliver::{Form, body, deliver},
    fault,
    messages::{PREFIXES, bearer, by_key, invalid_key},
    state::{SimulatedNumber, State, number_id},
};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.route("/v1/configs/templates", web::get().to(list_of_partner));
    for prefix in PREFIXES {
        config
            .service(web::resource(format!("{prefix}/{{id}}/message_templates")).get(list).post(create).delete(delete));
    }
}

/// The number whose account and token these are.
fn owner(state: &State, request: &HttpRequest) -> Option<SimulatedNumber> {
    let account = request.match_info().query("id");
    let token = bearer(request);
    let is_owner = |number: &&SimulatedNumber| number.waba_id == account && token == Some(&number.access_token);
    state.lock().numbers.iter().find(is_owner).cloned()
}

async fn list(state: Data<State>, request: HttpRequest) -> HttpResponse {
    if owner(&state, &request).is_none() {
        return fault::answer(190, "", false);
    }
    HttpResponse::Ok().json(json!({ "data": state.lock().templates, "paging": { "cursors": {} } }))
}

async fn list_of_partner(state: Data<State>, request: HttpRequest) -> HttpResponse {
    if by_key(&state, &request).is_none() {
        return HttpResponse::Unauthorized().json(invalid_key());
    }
    let mut templates = state.lock().templates.clone();
    for template in &mut templates {
        template["status"] = template["status"].as_str().unwrap_or_default().to_lowercase().into();
        template["namespace"] = "simulated_namespace".into();
    }
    HttpResponse::Ok().json(json!({ "count": templates.len(), "total": templates.len(), "waba_templates": templates }))
}

async fn create(state: Data<State>, request: HttpRequest, template: Json<Value>) -> HttpResponse {
    let Some(number) = owner(&state, &request) else { return fault::answer(190, "", false) };
    let mut template = template.into_inner();
    let text = |name: &str| template.get(name).and_then(Value::as_str).map(str::to_owned);
    let (Some(name), Some(language), Some(category)) = (text("name"), text("language"), text("category")) else {
        return fault::answer(100, "name, language and category are required.", false);
    };
    let id = number_id();
    template["id"] = id.as_str().into();
    template["status"] = "APPROVED".into();
    state.lock().templates.push(template);
    let report = status(&id, &name, &language, "APPROVED");
    rt::spawn(async move {
        let call = body(Form::Cloud, &number, "message_template_status_update", report).to_string();
        deliver(&state, Form::Cloud, call).await
    });
    HttpResponse::Ok().json(json!({ "id": id, "status": "PENDING", "category": category }))
}

/// What WhatsApp says of a template.
pub(super) fn status(id: &str, name: &str, language: &str, event: &str) -> Value {
    json!({
        "event": event, "message_template_id": id.parse::<u64>().unwrap_or_default(), "message_template_name": name,
        "message_template_language": language, "reason": "NONE",
    })
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

async fn delete(state: Data<State>, request: HttpRequest, named: Query<Named>) -> HttpResponse {
    if owner(&state, &request).is_none() {
        return fault::answer(190, "", false);
    }
    let mut memory = state.lock();
    let before = memory.templates.len();
    memory.templates.retain(|template| template["name"] != named.name.as_str());
    if memory.templates.len() == before {
        return fault::answer(132_001, "", false);
    }
    HttpResponse::Ok().json(json!({ "success": true }))
}
