//! Takes messages for customers, and reports their statuses.

use actix_web::{
    HttpRequest, HttpResponse,
    body::SizedStream,
    rt,
    web::{self, Bytes, Data, ServiceConfig},
};
use futures_util::stream;
use rand::seq::SliceRandom;
use serde_json::{Value, json};

use super::{
    behaviour::{Instead, When},
    deliver::{Form, body, deliver},
    fault,
    state::{Delivered, SimulatedNumber, State, now, wamid},
};

/// The two ways the Graph API is addressed: with and without its version.
pub(super) const PREFIXES: [&str; 2] = ["/{version:v[0-9]+\\.[0-9]+}", ""];

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .route("/messages", web::post().to(partner))
        .route("/v1/messages", web::post().to(onpremises))
        .route("/v1/messages/{id}", web::put().to(onpremises_read));
    for prefix in PREFIXES {
        config.route(&format!("{prefix}/{{id}}/messages"), web::post().to(graph));
    }
}

async fn graph(state: Data<State>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let number = state.lock().number(request.match_info().query("id")).cloned();
    match number {
        None => fault::answer(100, "Object does not exist", false),
        Some(number) if bearer(&request) == Some(&number.access_token) => {
            take(state, number, Form::Cloud, true, body).await
        }
        Some(_) => fault::answer(190, "", false),
    }
}

async fn partner(state: Data<State>, request: HttpRequest, body: Bytes) -> HttpResponse {
    match by_key(&state, &request) {
        Some(number) => take(state, number, Form::Cloud, true, body).await,
        None => HttpResponse::Unauthorized().json(invalid_key()),
    }
}

async fn onpremises(state: Data<State>, request: HttpRequest, body: Bytes) -> HttpResponse {
    match by_key(&state, &request) {
        Some(number) => take(state, number, Form::Flat, false, body).await,
        None => HttpResponse::Unauthorized().json(invalid_key()),
    }
}

/// The on-premises way to say that a message was read.
async fn onpremises_read(state: Data<State>, request: HttpRequest, id: web::Path<String>) -> HttpResponse {
    if by_key(&state, &request).is_none() {
        return HttpResponse::Unauthorized().json(invalid_key());
    }
    state.lock().reads.push(json!({ "status": "read", "message_id": *id }));
    HttpResponse::Ok().json(json!({}))
}

pub(super) fn bearer(request: &HttpRequest) -> Option<&str> {
    request.headers().get("authorization")?.to_str().ok()?.strip_prefix("Bearer ")
}

/// The number of the request's API key.
pub(super) fn by_key(state: &State, request: &HttpRequest) -> Option<SimulatedNumber> {
    let key = request.headers().get("d360-api-key")?.to_str().ok()?;
    state.lock().numbers.iter().find(|number| number.access_token == key).cloned()
}

pub(super) fn invalid_key() -> Value {
    json!({ "meta": { "success": false, "http_code": 401, "developer_message": "Invalid api key", "360dialog_trace_id": "s" } })
}

async fn take(state: Data<State>, number: SimulatedNumber, form: Form, cloud: bool, bytes: Bytes) -> HttpResponse {
    let flat = form == Form::Flat;
    let Ok(message) = serde_json::from_slice::<Value>(&bytes) else {
        return fault::answer(100, "The body is not JSON", flat);
    };
    if message.get("status").and_then(Value::as_str) == Some("read") {
        if message.get("message_id").and_then(Value::as_str).is_none_or(str::is_empty) {
            return fault::answer(100, "The parameter message_id is required.", flat);
        }
        state.lock().reads.push(message);
        return HttpResponse::Ok().json(json!({ "success": true }));
    }
    let to = match check(&message, cloud) {
        Ok(to) => to.to_owned(),
        Err(why) => return fault::answer(100, &why, flat),
    };
    let instead = state.lock().behaviour.next_fault();
    match instead {
        None => accepted(&keep(&state, number, form, to, message), cloud),
        Some(Instead::Http(fault)) => fault::of_http(fault.status, fault.bare, flat, fault.retry_after),
        Some(Instead::Refusal(code)) => fault::answer(code, "", flat),
        Some(Instead::Cut(When::Before)) => cut(),
        Some(Instead::Cut(When::After)) => {
            keep(&state, number, form, to, message);
            cut()
        }
        Some(Instead::Hang(time)) => {
            let kept = keep(&state, number, form, to, message);
            rt::time::sleep(time).await;
            accepted(&kept, cloud)
        }
    }
}

/// Roughly what the Graph API checks before it takes a message: the recipient, or what is wrong.
fn check(message: &Value, cloud: bool) -> Result<&str, String> {
    let text = |name: &str| message.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    if cloud && text("messaging_product") != Some("whatsapp") {
        return Err("The parameter messaging_product is required.".to_owned());
    }
    let to = text("to").or_else(|| text("recipient")).ok_or("The parameter to is required.")?;
    let kind = text("type").unwrap_or("text");
    let object = message.get(kind).ok_or_else(|| format!("The parameter {kind} is required."))?;
    let missing = |name: &str| format!("The parameter {kind}['{name}'] is required.");
    match kind {
        "text" => match object.get("body").and_then(Value::as_str).map(|body| body.chars().count()) {
            Some(1..=4096) => Ok(to),
            Some(_) => Err("Param text['body'] must be 1 to 4096 characters long.".to_owned()),
            None => Err(missing("body")),
        },
        "template" if object.get("name").is_none() => Err(missing("name")),
        "template" if cloud && object.get("namespace").is_some() => Err("Unexpected key \"namespace\"".to_owned()),
        "voice" if cloud => Err("Param type must be one of the known types.".to_owned()),
        "image" | "video" | "audio" | "voice" | "document" | "sticker"
            if object.get("id").is_none() && object.get("link").is_none() =>
        {
            Err(missing("id"))
        }
        "reaction" if object.get("message_id").is_none() => Err(missing("message_id")),
        "contacts" if object.as_array().is_none_or(Vec::is_empty) => Err(missing("name")),
        _ => Ok(to),
    }
}

/// Hands the message to the customer, and has its statuses reported.
fn keep(state: &Data<State>, number: SimulatedNumber, form: Form, to: String, message: Value) -> Delivered {
    let text = |name: &str| message.get(name).and_then(Value::as_str).map(str::to_owned);
    let delivered = Delivered {
        id: wamid(),
        phone_number_id: number.phone_number_id.clone(),
        to,
        kind: text("type").unwrap_or_else(|| "text".to_owned()),
        biz_opaque_callback_data: text("biz_opaque_callback_data"),
        taken_at: chrono::Utc::now().timestamp_millis(),
        message,
    };
    let (statuses, shuffle) = {
        let mut memory = state.lock();
        memory.delivered.push(delivered.clone());
        let failed = memory.behaviour.next_failed_status();
        let mut order: Vec<(String, Option<i64>)> = match failed {
            Some(code) => vec![("failed".to_owned(), Some(code))],
            None => memory.behaviour.order().into_iter().map(|status| (status, None)).collect(),
        };
        let shuffle = memory.behaviour.shuffle == Some(true);
        if shuffle {
            order.shuffle(&mut rand::rng());
        }
        (order, shuffle)
    };
    let (state, kept) = (state.clone(), delivered.clone());
    rt::spawn(async move {
        for (status, failed) in statuses {
            let report = report(&kept, &status, failed, form);
            let call = body(form, &number, "messages", json!({ "statuses": [report] })).to_string();
            if shuffle {
                // Overtaking each other.
                let state = state.clone();
                rt::spawn(async move { deliver(&state, form, call).await });
            } else {
                deliver(&state, form, call).await;
            }
        }
    });
    delivered
}

fn report(message: &Delivered, status: &str, failed: Option<i64>, form: Form) -> Value {
    let mut report = json!({ "id": message.id, "status": status, "timestamp": now() });
    let scoped = message.to.contains('.');
    report[if scoped { "recipient_user_id" } else { "recipient_id" }] = message.to.as_str().into();
    if let Some(code) = failed {
        report["errors"] = json!([fault::of_status(code)]);
    }
    if form == Form::Flat {
        return report;
    }
    if let Some(data) = &message.biz_opaque_callback_data {
        report["biz_opaque_callback_data"] = data.as_str().into();
    }
    if matches!(status, "sent" | "delivered") {
        let category = if message.kind == "template" { "utility" } else { "service" };
        report["conversation"] = json!({ "id": message.id[6..].to_owned(), "origin": { "type": category } });
        report["pricing"] =
            json!({ "billable": true, "pricing_model": "PMP", "category": category, "type": "regular" });
    }
    report
}

fn accepted(message: &Delivered, cloud: bool) -> HttpResponse {
    let contact = if message.to.contains('.') {
        json!({ "input": message.to, "user_id": message.to })
    } else {
        json!({ "input": message.to, "wa_id": message.to.trim_start_matches('+') })
    };
    let mut answer = json!({ "contacts": [contact], "messages": [{ "id": message.id }] });
    if cloud {
        answer["messaging_product"] = "whatsapp".into();
    } else {
        answer["meta"] = json!({ "api_status": "stable", "version": "2.53" });
    }
    HttpResponse::Ok().json(answer)
}

/// An answer that breaks off.
pub(super) fn cut() -> HttpResponse {
    let broken = stream::iter([Ok(Bytes::from_static(b"{\"mess")), Err(std::io::Error::other("cut"))]);
    HttpResponse::Ok().content_type("application/json").body(SizedStream::new(120, broken))
}
