//! `/api/v1/webhooks/waba/{id}/…`: what became of a webhook's deliveries, and acting on them (R-OUT-4).

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use chatledger_application::{
    ApplicationError,
    ports::deliveries::{DeliveryFilter, DeliveryState},
};
use chatledger_domain::WebhookId;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    State, webhooks,
    wire::{Delivery, DeliveryDetail, Replay, WebhookStatus},
};
use crate::{
    docs::params::{DeliveryParams, PageParams},
    error::ApiError,
    extract::{Body, Caller, Fields, ListPage, Query, Valid, number_in_path, text},
    family::json_body,
    routes::{Endpoint, to},
};

/// Deliveries that may be named in one replay.
const MAX_IDS: usize = 1_000;

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new("GET", "/api/v1/webhooks/waba/{id}/deliveries/", "list_deliveries", || to(list)),
    Endpoint::new("POST", "/api/v1/webhooks/waba/{id}/deliveries/replay/", "replay_deliveries", || to(replay)),
    Endpoint::new("GET", "/api/v1/webhooks/waba/{id}/deliveries/{delivery_id}/", "get_delivery", || to(get)),
    Endpoint::new("GET", "/api/v1/webhooks/waba/{id}/status/", "get_webhook_status", || to(status)),
    Endpoint::new("POST", "/api/v1/webhooks/waba/{id}/enable/", "enable_webhook", || to(enable)),
];

/// Which deliveries are made again: by `ids`, by `wa_id`, or by time alone.
#[derive(ToSchema)]
#[schema(example = json!({"since_time": 1_767_693_600, "before_time": 1_767_697_200}))]
pub struct ReplayOrder {
    /// These, at most 1000. What is not there is passed over.
    pub ids: Option<Vec<Uuid>>,
    /// Those about this chat.
    pub wa_id: Option<String>,
    /// Those made at or after, POSIX seconds.
    pub since_time: Option<i64>,
    /// Those made before, POSIX seconds.
    pub before_time: Option<i64>,
    /// `dead`, `delivered` or both; unless told, `dead`, and with `ids` both.
    pub states: Option<Vec<String>>,
}

/// Whether what was kept is delivered.
#[derive(ToSchema)]
pub struct Enabling {
    /// `true`: everything since the webhook began to fail is delivered, in order. `false`: it is given up, and can be
    /// replayed later.
    pub replay: bool,
}

/// A webhook's deliveries, newest first; for admins of anybody's webhook.
#[utoipa::path(get, path = "/api/v1/webhooks/waba/{id}/deliveries/", operation_id = "list_deliveries",
    tag = "Webhooks", params(("id" = i64, Path, description = "The webhook."), PageParams, DeliveryParams),
    responses((status = 200, description = "Deliveries.", body = ListPage<Delivery>)))]
pub async fn list(
    caller: Caller,
    state: State,
    request: HttpRequest,
    path: web::Path<String>,
    mut query: Query,
) -> Result<HttpResponse, ApiError> {
    let id = known(&caller, &state, &path).await?;
    let (since, before) = (query.integer("since_time"), query.integer("before_time"));
    let states = query.get("state").map(str::to_owned).map(|name| {
        let state = DeliveryState::named(&name);
        state.ok_or_else(|| query.refuse("state", not_a_choice(&name)))
    });
    let wa_id = query.wa_id().transpose();
    let part = query.page()?;
    let Ok(wa_id) = wa_id else { return Ok(super::ok(&part.nothing::<()>(&request))) };
    let states = states.and_then(Result::ok).into_iter().collect();
    let wa_id = wa_id.map(|wa_id| wa_id.to_string());
    let filter = DeliveryFilter { states, ids: Vec::new(), wa_id, since, before };
    let rows = (part.request().limit, part.request().offset);
    let page = state.application.deliveries(&caller.context(), id, &filter, rows).await.map_err(refused)?;
    Ok(super::ok(&part.answer(&request, page.count, page.rows.iter().map(Delivery::new).collect())))
}

/// A delivery with its body and its attempts.
#[utoipa::path(get, path = "/api/v1/webhooks/waba/{id}/deliveries/{delivery_id}/", operation_id = "get_delivery",
    tag = "Webhooks", params(("id" = i64, Path, description = "The webhook."),
    ("delivery_id" = String, Path, description = "The delivery.")),
    responses((status = 200, description = "The delivery.", body = DeliveryDetail)))]
pub async fn get(caller: Caller, state: State, path: web::Path<(String, String)>) -> Result<HttpResponse, ApiError> {
    let id = WebhookId(number_in_path(&path.0)?);
    let delivery = path.1.parse().map_err(|_| ApiError::NotFound)?;
    let found = state.application.delivery(&caller.context(), id, delivery).await.map_err(refused)?;
    Ok(super::ok(&DeliveryDetail::new(&found)))
}

/// Makes deliveries again: the same ids and bytes, in the order of each chat, with all attempts of the schedule. Those
/// of a disabled webhook wait until it is enabled.
#[utoipa::path(post, path = "/api/v1/webhooks/waba/{id}/deliveries/replay/", operation_id = "replay_deliveries",
    tag = "Webhooks", params(("id" = i64, Path, description = "The webhook.")), request_body = ReplayOrder,
    responses((status = 202, description = "How many are made again.", body = Replay)))]
pub async fn replay(
    caller: Caller,
    state: State,
    path: web::Path<String>,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    let id = known(&caller, &state, &path).await?;
    let filter = which(body.read().await?)?;
    let done = state.application.replay_deliveries(&caller.context(), id, &filter).await.map_err(refused)?;
    Ok(json_body(HttpResponse::build(StatusCode::ACCEPTED), &Replay::from(done)))
}

/// Whether a webhook is called, and how its deliveries are.
#[utoipa::path(get, path = "/api/v1/webhooks/waba/{id}/status/", operation_id = "get_webhook_status",
    tag = "Webhooks", params(("id" = i64, Path, description = "The webhook.")),
    responses((status = 200, description = "How it is.", body = WebhookStatus)))]
pub async fn status(caller: Caller, state: State, path: web::Path<String>) -> Result<HttpResponse, ApiError> {
    let id = WebhookId(number_in_path(&path)?);
    told(&caller, &state, id).await
}

/// Calls a disabled webhook again. One that is not disabled stays as it is.
#[utoipa::path(post, path = "/api/v1/webhooks/waba/{id}/enable/", operation_id = "enable_webhook",
    tag = "Webhooks", params(("id" = i64, Path, description = "The webhook.")), request_body = Enabling,
    responses((status = 200, description = "How it is from now on.", body = WebhookStatus)))]
pub async fn enable(
    caller: Caller,
    state: State,
    path: web::Path<String>,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    let id = known(&caller, &state, &path).await?;
    let mut fields = body.read().await?;
    let read = (fields.boolean("replay"),);
    let (replay,) = fields.finish(read)?;
    state.application.enable_webhook(&caller.context(), id, replay).await.map_err(refused)?;
    told(&caller, &state, id).await
}

/// Whose it is not learns nothing of what a body or a query should hold.
async fn known(caller: &Caller, state: &State, path: &str) -> Result<WebhookId, ApiError> {
    let id = WebhookId(number_in_path(path)?);
    webhooks::found(caller, state, id).await?;
    Ok(id)
}

async fn told(caller: &Caller, state: &State, id: WebhookId) -> Result<HttpResponse, ApiError> {
    let condition = state.application.webhook_condition(&caller.context(), id).await.map_err(refused)?;
    Ok(super::ok(&WebhookStatus::new(&condition)))
}

fn which(mut fields: Fields) -> Result<DeliveryFilter, ApiError> {
    let ids = items(&mut fields, "ids", |item| {
        let id = item.as_str().and_then(|text| text.parse().ok());
        id.ok_or_else(|| format!("{item} is not a valid id."))
    });
    let states = items(&mut fields, "states", |item| {
        let state = item.as_str().and_then(DeliveryState::named).filter(|state| *state != DeliveryState::Pending);
        state.ok_or_else(|| not_a_choice(item.as_str().unwrap_or(&item.to_string())))
    });
    let wa_id = if fields.has("wa_id") { fields.wa_id("wa_id").map(Some) } else { Some(None) };
    let times = (fields.optional_integer("since_time"), fields.optional_integer("before_time"));
    // Nothing must not read as everything.
    let by_ids = !matches!(ids, Some(None));
    let by_chat_or_time = fields.has("wa_id") || times != (Some(None), Some(None));
    match (by_ids, by_chat_or_time) {
        (false, false) => fields.refuse("non_field_errors", "Give ids, a wa_id, or a time."),
        (true, true) => fields.refuse("non_field_errors", "Give either ids, or a wa_id and times."),
        _ => {}
    }
    let (ids, states, wa_id, since, before) = fields.finish((ids, states, wa_id, times.0, times.1))?;
    let default = if by_ids { vec![DeliveryState::Dead, DeliveryState::Delivered] } else { vec![DeliveryState::Dead] };
    Ok(DeliveryFilter {
        states: states.unwrap_or(default),
        ids: ids.unwrap_or_default(),
        wa_id: wa_id.map(|wa_id| wa_id.to_string()),
        since,
        before,
    })
}

/// A list that may be absent; not an empty one.
fn items<T>(fields: &mut Fields, name: &str, read: impl Fn(&Value) -> Result<T, String>) -> Valid<Option<Vec<T>>> {
    let Some((_, list)) = fields.optional_json(name)? else { return Some(None) };
    let told = match &list {
        Value::Array(items) if items.is_empty() => Err("This list may not be empty.".to_owned()),
        Value::Array(items) if items.len() > MAX_IDS => {
            Err(format!("Ensure this field has no more than {MAX_IDS} elements."))
        }
        Value::Array(items) => items.iter().map(read).collect(),
        other => Err(text::not_a_list(other)),
    };
    told.map_err(|message| fields.refuse(name, message)).ok().map(Some)
}

fn not_a_choice(name: &str) -> String {
    format!("Select a valid choice. {name} is not one of the available choices.")
}

fn refused(error: ApplicationError) -> ApiError {
    match error {
        ApplicationError::UnknownWebhook => ApiError::NotFound,
        error => error.into(),
    }
}
