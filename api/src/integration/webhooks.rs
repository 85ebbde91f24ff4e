//! `/api/v1/webhooks/waba/`: where users' programs want to be told (R-WHK-*).

use actix_web::{HttpRequest, HttpResponse, web};
use chatledger_application::{ApplicationError, endpoints::CallTarget, webhooks::WebhookChange};
use chatledger_domain::{WebhookId, webhook::Subscriptions};
use chatledger_projections::views::WebhookView;
use utoipa::ToSchema;

use super::{
    State,
    call_target::{MAX_URL, bad_address, headers},
    wire::{Links, WabaWebhook},
};
use crate::{
    docs::params::PageParams,
    error::ApiError,
    extract::{Body, Caller, Fields, ListPage, Query, Valid, number_in_path},
    routes::{Endpoint, to},
};

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new("GET", "/api/v1/webhooks/waba/", "list_webhooks", || to(list)),
    Endpoint::new("POST", "/api/v1/webhooks/waba/", "create_webhook", || to(create)),
    Endpoint::new("GET", "/api/v1/webhooks/waba/{id}/", "get_webhook", || to(get)),
    Endpoint::new("PUT", "/api/v1/webhooks/waba/{id}/", "put_webhook", || to(put)),
    Endpoint::new("PATCH", "/api/v1/webhooks/waba/{id}/", "patch_webhook", || to(patch)),
    Endpoint::new("DELETE", "/api/v1/webhooks/waba/{id}/", "delete_webhook", || to(delete)),
];

/// A webhook to be.
#[derive(ToSchema)]
#[schema(example = json!({"url": "https://crm.acme.example/hook?auth=s3cr3t", "on_assigned": true}))]
pub struct NewWebhook {
    /// Where to: `https`, and nothing but public addresses unless the operator allows more. At most 2000 characters.
    pub url: String,
    /// Told of messages of customers; `true` unless told.
    pub on_incoming_message: Option<bool>,
    /// Told of messages that this side sends; `false` unless told.
    pub on_outgoing_message: Option<bool>,
    /// Told of messages of chats assigned to the user; `false` unless told.
    pub on_assigned: Option<bool>,
    /// Headers to send along: at most 20, names to values.
    #[schema(value_type = Option<Object>)]
    pub headers: Option<()>,
}

/// The webhooks, by id: for admins those of all users, for others their own one at most.
#[utoipa::path(get, path = "/api/v1/webhooks/waba/", operation_id = "list_webhooks", tag = "Webhooks",
    params(PageParams), responses((status = 200, description = "Webhooks.", body = ListPage<WabaWebhook>)))]
pub async fn list(caller: Caller, state: State, request: HttpRequest, query: Query) -> Result<HttpResponse, ApiError> {
    let part = query.page()?;
    let page = state.inbox.webhooks(caller.tenant, &caller.actor, part.request()).await?;
    let targets = targets(&caller, &state, &page.rows).await?;
    let links = Links::of(&request, &state, caller.tenant);
    let shown = page.rows.iter().zip(&targets).map(|(view, target)| WabaWebhook::new(view, target, &links)).collect();
    Ok(super::ok(&part.answer(&request, page.count, shown)))
}

/// Registers the caller's webhook; a user has one at most.
#[utoipa::path(post, path = "/api/v1/webhooks/waba/", operation_id = "create_webhook", tag = "Webhooks",
    request_body = NewWebhook, responses((status = 201, description = "The webhook.", body = WabaWebhook)))]
pub async fn create(caller: Caller, state: State, request: HttpRequest, body: Body) -> Result<HttpResponse, ApiError> {
    let mut fields = body.read().await?;
    let url = fields.text("url", MAX_URL);
    let change = read(&mut fields);
    let (url, change) = fields.finish((url, change))?;
    let target = CallTarget { url, headers: change.headers.unwrap_or_default(), ..CallTarget::default() };
    let default = Subscriptions::default();
    let subscriptions = Subscriptions {
        on_incoming_message: change.on_incoming_message.unwrap_or(default.on_incoming_message),
        on_outgoing_message: change.on_outgoing_message.unwrap_or(default.on_outgoing_message),
        on_assigned: change.on_assigned.unwrap_or(default.on_assigned),
    };
    let id = state.application.register_webhook(&caller.context(), &target, subscriptions).await.map_err(refused)?;
    Ok(super::created(&WabaWebhook::new(
        &found(&caller, &state, id).await?,
        &target,
        &Links::of(&request, &state, caller.tenant),
    )))
}

/// A webhook of the caller; for admins of anybody.
#[utoipa::path(get, path = "/api/v1/webhooks/waba/{id}/", operation_id = "get_webhook", tag = "Webhooks",
    params(("id" = i64, Path, description = "The webhook.")),
    responses((status = 200, description = "The webhook.", body = WabaWebhook)))]
pub async fn get(
    caller: Caller,
    state: State,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    show(&caller, &state, &request, WebhookId(number_in_path(&path)?)).await
}

/// Sets a webhook; what is not given stays, but for `url`, which must be given.
#[utoipa::path(put, path = "/api/v1/webhooks/waba/{id}/", operation_id = "put_webhook", tag = "Webhooks",
    params(("id" = i64, Path, description = "The webhook.")), request_body = NewWebhook,
    responses((status = 200, description = "The webhook from now on.", body = WabaWebhook)))]
pub async fn put(
    caller: Caller,
    state: State,
    request: HttpRequest,
    path: web::Path<String>,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    change(&caller, &state, &request, &path, body, true).await
}

/// Changes a webhook; what is not given stays.
#[utoipa::path(patch, path = "/api/v1/webhooks/waba/{id}/", operation_id = "patch_webhook", tag = "Webhooks",
    params(("id" = i64, Path, description = "The webhook.")), request_body = NewWebhook,
    responses((status = 200, description = "The webhook from now on.", body = WabaWebhook)))]
pub async fn patch(
    caller: Caller,
    state: State,
    request: HttpRequest,
    path: web::Path<String>,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    change(&caller, &state, &request, &path, body, false).await
}

/// Deletes a webhook; nothing more is sent to it, and its user may register again.
#[utoipa::path(delete, path = "/api/v1/webhooks/waba/{id}/", operation_id = "delete_webhook", tag = "Webhooks",
    params(("id" = i64, Path, description = "The webhook.")),
    responses((status = 204, description = "Deleted.")))]
pub async fn delete(caller: Caller, state: State, path: web::Path<String>) -> Result<HttpResponse, ApiError> {
    let id = WebhookId(number_in_path(&path)?);
    state.application.delete_webhook(&caller.context(), id).await.map_err(refused)?;
    Ok(super::no_content())
}

async fn change(
    caller: &Caller,
    state: &State,
    request: &HttpRequest,
    path: &str,
    body: Body,
    whole: bool,
) -> Result<HttpResponse, ApiError> {
    let id = WebhookId(number_in_path(path)?);
    // Whose it is not learns nothing of what a body should hold.
    found(caller, state, id).await?;
    let mut fields = body.read().await?;
    let url = if whole || fields.has("url") { fields.text("url", MAX_URL).map(Some) } else { Some(None) };
    let read = (url, read(&mut fields));
    let (url, change) = fields.finish(read)?;
    let change = WebhookChange { url, ..change };
    state.application.change_webhook(&caller.context(), id, change).await.map_err(refused)?;
    show(caller, state, request, id).await
}

/// All but the address.
fn read(fields: &mut Fields) -> Valid<WebhookChange> {
    let mut flag = |name| if fields.has(name) { fields.boolean(name).map(Some) } else { Some(None) };
    let flags = (flag("on_incoming_message"), flag("on_outgoing_message"), flag("on_assigned"));
    let headers = headers(fields);
    Some(WebhookChange {
        url: None,
        headers: headers?,
        on_incoming_message: flags.0?,
        on_outgoing_message: flags.1?,
        on_assigned: flags.2?,
    })
}

pub(super) async fn found(caller: &Caller, state: &State, id: WebhookId) -> Result<WebhookView, ApiError> {
    state.inbox.webhook(caller.tenant, &caller.actor, id).await?.ok_or(ApiError::NotFound)
}

async fn show(caller: &Caller, state: &State, request: &HttpRequest, id: WebhookId) -> Result<HttpResponse, ApiError> {
    let view = found(caller, state, id).await?;
    let targets = targets(caller, state, std::slice::from_ref(&view)).await?;
    let target = targets.first().ok_or(ApiError::Unavailable)?;
    Ok(super::ok(&WabaWebhook::new(&view, target, &Links::of(request, state, caller.tenant))))
}

/// Addresses and headers out of the vault. 503 for one that changed at this very moment: asked again, it is there.
async fn targets(caller: &Caller, state: &State, views: &[WebhookView]) -> Result<Vec<CallTarget>, ApiError> {
    let ids: Vec<_> = views.iter().map(|view| view.endpoint.secret).collect();
    let mut targets = state.application.call_targets(caller.tenant, &ids).await?;
    ids.iter().map(|id| targets.remove(id).ok_or(ApiError::Unavailable)).collect()
}

fn refused(error: ApplicationError) -> ApiError {
    match error {
        ApplicationError::UnknownWebhook => ApiError::NotFound,
        ApplicationError::Address(error) => bad_address(error),
        ApplicationError::NameTaken => ApiError::field("non_field_errors", "You already have a webhook."),
        error => error.into(),
    }
}
