//! Message templates: list, create (pending, then decided on by webhook), delete.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse, rt,
    web::{self, Data, Json, Path, Query, ServiceConfig},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    account::gone_wrong,
    deliver::{Form, body, deliver},
    fault,
    messages::{PREFIXES, bearer, by_key, invalid_key},
    state::{SimulatedNumber, State, number_id},
};

/// How long WhatsApp thinks about a new template, unless told, in milliseconds.
const VERDICT: u64 = 200;
/// The namespace of all templates.
pub(super) const NAMESPACE: &str = "simulated_namespace";

/// Where a template names its account; not shown.
const ACCOUNT: &str = "account";

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/v1/configs/templates").get(list_of_partner).post(create_at_partner))
        .route("/v1/configs/templates/{name}", web::delete().to(delete_at_partner));
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

#[derive(Deserialize)]
struct Part {
    limit: Option<usize>,
    after: Option<usize>,
    offset: Option<usize>,
}

async fn list(state: Data<State>, request: HttpRequest, part: Query<Part>) -> HttpResponse {
    let Some(number) = owner(&state, &request) else { return fault::answer(190, "", false) };
    if let Some(wrong) = gone_wrong(&state, "list templates", false).await {
        return wrong;
    }
    let all = of_account(&state, &number.waba_id);
    let (from, limit) = (part.after.unwrap_or_default(), part.limit.unwrap_or(25));
    let page: Vec<&Value> = all.iter().skip(from).take(limit).collect();
    let end = from + page.len();
    let mut paging = json!({ "cursors": { "before": from.to_string(), "after": end.to_string() } });
    if end < all.len() {
        paging["next"] = format!("{}/next", state.url).into();
    }
    HttpResponse::Ok().json(json!({ "data": page, "paging": paging }))
}

async fn list_of_partner(state: Data<State>, request: HttpRequest, part: Query<Part>) -> HttpResponse {
    let Some(number) = by_key(&state, &request) else { return HttpResponse::Unauthorized().json(invalid_key()) };
    if let Some(wrong) = gone_wrong(&state, "list templates", true).await {
        return wrong;
    }
    let all: Vec<Value> = of_account(&state, &number.waba_id).iter().map(of_partner).collect();
    let page: Vec<&Value> =
        all.iter().skip(part.offset.unwrap_or_default()).take(part.limit.unwrap_or(1_000)).collect();
    HttpResponse::Ok().json(json!({ "count": page.len(), "total": all.len(), "waba_templates": page }))
}

/// The templates of a business account; those set by the control path are everybody's.
fn of_account(state: &State, account: &str) -> Vec<Value> {
    let theirs = |template: &&Value| is_of(template, account);
    let mut all: Vec<Value> = state.lock().templates.iter().filter(theirs).cloned().collect();
    for template in all.iter_mut().filter_map(Value::as_object_mut) {
        template.remove(ACCOUNT);
    }
    all
}

fn is_of(template: &Value, account: &str) -> bool {
    template[ACCOUNT].is_null() || template[ACCOUNT] == account
}

fn of_partner(template: &Value) -> Value {
    let mut template = template.clone();
    template["status"] = template["status"].as_str().unwrap_or_default().to_lowercase().into();
    template["namespace"] = NAMESPACE.into();
    template
}

async fn create(state: Data<State>, request: HttpRequest, template: Json<Value>) -> HttpResponse {
    let Some(number) = owner(&state, &request) else { return fault::answer(190, "", false) };
    if let Some(wrong) = gone_wrong(&state, "create template", false).await {
        return wrong;
    }
    match take(&state, number, template.into_inner()) {
        Ok(taken) => {
            let answer = json!({ "id": taken["id"], "status": "PENDING", "category": taken["category"] });
            HttpResponse::Ok().json(answer)
        }
        Err(why) => fault::answer(100, why, false),
    }
}

async fn create_at_partner(state: Data<State>, request: HttpRequest, template: Json<Value>) -> HttpResponse {
    let Some(number) = by_key(&state, &request) else { return HttpResponse::Unauthorized().json(invalid_key()) };
    if let Some(wrong) = gone_wrong(&state, "create template", true).await {
        return wrong;
    }
    match take(&state, number, template.into_inner()) {
        Ok(taken) => {
            let mut answer = of_partner(&taken);
            answer["status"] = "submitted".into();
            HttpResponse::Created().json(answer)
        }
        Err(why) => fault::answer(100, why, true),
    }
}

/// Keeps a template, and decides on it a little later.
fn take(state: &Data<State>, number: SimulatedNumber, mut template: Value) -> Result<Value, &'static str> {
    let text = |name: &str| template.get(name).and_then(Value::as_str).map(str::to_owned);
    let (Some(name), Some(language), Some(_)) = (text("name"), text("language"), text("category")) else {
        return Err("name, language and category are required.");
    };
    let id = number_id();
    template["id"] = id.as_str().into();
    template["status"] = "PENDING".into();
    template[ACCOUNT] = number.waba_id.as_str().into();
    let (verdict, delay) = {
        let mut memory = state.lock();
        let same = |known: &Value| {
            known["name"] == name.as_str() && known["language"] == language.as_str() && is_of(known, &number.waba_id)
        };
        if memory.templates.iter().any(same) {
            return Err("There is already content in this language for this template.");
        }
        memory.templates.push(template.clone());
        let behaviour = &memory.behaviour;
        let verdict = behaviour.template_verdict.clone().unwrap_or_else(|| "APPROVED".to_owned());
        (verdict, behaviour.template_delay_ms.unwrap_or(VERDICT))
    };
    let state = state.clone();
    rt::spawn(async move {
        rt::time::sleep(Duration::from_millis(delay)).await;
        let reason = if verdict == "REJECTED" { "INVALID_FORMAT" } else { "NONE" };
        if let Some(template) = state.lock().templates.iter_mut().find(|template| template["id"] == id.as_str()) {
            template["status"] = verdict.as_str().into();
            template["rejected_reason"] = reason.into();
        }
        let mut report = status(&id, &name, &language, &verdict);
        report["reason"] = reason.into();
        let call = body(Form::Cloud, &number, "message_template_status_update", report).to_string();
        deliver(&state, Form::Cloud, call).await
    });
    Ok(template)
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
    let Some(number) = owner(&state, &request) else { return fault::answer(190, "", false) };
    if let Some(wrong) = gone_wrong(&state, "delete template", false).await {
        return wrong;
    }
    forget(&state, &number.waba_id, &named.name, false)
}

async fn delete_at_partner(state: Data<State>, request: HttpRequest, name: Path<String>) -> HttpResponse {
    let Some(number) = by_key(&state, &request) else { return HttpResponse::Unauthorized().json(invalid_key()) };
    if let Some(wrong) = gone_wrong(&state, "delete template", true).await {
        return wrong;
    }
    forget(&state, &number.waba_id, &name, true)
}

fn forget(state: &State, account: &str, name: &str, flat: bool) -> HttpResponse {
    let mut memory = state.lock();
    let before = memory.templates.len();
    memory.templates.retain(|template| template["name"] != name || !is_of(template, account));
    if memory.templates.len() == before {
        return fault::answer(132_001, "", flat);
    }
    HttpResponse::Ok().json(json!({ "success": true }))
}
