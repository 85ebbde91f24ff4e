//! `/api/v1/webhooks/waba/{id}/signing_secret/` and `…/app_secret/`: what calls to a webhook are signed with (R-OUT-2).

use actix_web::{HttpResponse, web};
use chatledger_application::ApplicationError;
use chatledger_domain::WebhookId;
use utoipa::ToSchema;

use super::{
    State,
    wire::{NewSecret, Secrets},
};
use crate::{
    error::ApiError,
    extract::{Body, Caller, number_in_path, text},
    routes::{Endpoint, to},
};

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new("GET", "/api/v1/webhooks/waba/{id}/signing_secret/", "get_signing_secrets", || to(get)),
    Endpoint::new("POST", "/api/v1/webhooks/waba/{id}/signing_secret/", "create_signing_secret", || to(create)),
    Endpoint::new("DELETE", "/api/v1/webhooks/waba/{id}/signing_secret/", "delete_signing_secrets", || to(delete)),
    Endpoint::new("PUT", "/api/v1/webhooks/waba/{id}/app_secret/", "put_app_secret", || to(put_app_secret)),
];

/// The longest app secret, in characters.
const MAX_SECRET: usize = 255;

/// A secret shared with the receiver.
#[derive(ToSchema)]
#[schema(example = json!({"app_secret": "0123456789abcdef0123456789abcdef"}))]
pub struct AppSecret {
    /// At most 255 characters; `null` or empty removes it.
    pub app_secret: Option<String>,
}

/// Which secrets calls are signed with, without the secrets themselves.
#[utoipa::path(get, path = "/api/v1/webhooks/waba/{id}/signing_secret/", operation_id = "get_signing_secrets",
    tag = "Webhooks", params(("id" = i64, Path, description = "The webhook.")),
    responses((status = 200, description = "The secrets.", body = Secrets)))]
pub async fn get(caller: Caller, state: State, path: web::Path<String>) -> Result<HttpResponse, ApiError> {
    show(&caller, &state, WebhookId(number_in_path(&path)?)).await
}

/// Makes a secret; it is shown in this answer and never again. The one before signs for 24 hours more.
#[utoipa::path(post, path = "/api/v1/webhooks/waba/{id}/signing_secret/", operation_id = "create_signing_secret",
    tag = "Webhooks", params(("id" = i64, Path, description = "The webhook.")),
    responses((status = 201, description = "The secret.", body = NewSecret)))]
pub async fn create(caller: Caller, state: State, path: web::Path<String>) -> Result<HttpResponse, ApiError> {
    let id = WebhookId(number_in_path(&path)?);
    let made = state.application.rotate_signing_secret(&caller.context(), id).await.map_err(refused)?;
    Ok(super::created(&NewSecret { secret: &made.secret, previous_valid_until: made.previous_valid_until }))
}

/// Removes the secrets; calls are no longer signed.
#[utoipa::path(delete, path = "/api/v1/webhooks/waba/{id}/signing_secret/", operation_id = "delete_signing_secrets",
    tag = "Webhooks", params(("id" = i64, Path, description = "The webhook.")),
    responses((status = 204, description = "Removed.")))]
pub async fn delete(caller: Caller, state: State, path: web::Path<String>) -> Result<HttpResponse, ApiError> {
    let id = WebhookId(number_in_path(&path)?);
    state.application.remove_signing_secrets(&caller.context(), id).await.map_err(refused)?;
    Ok(super::no_content())
}

/// Sets the secret for `X-Hub-Signature-256`, so that a WhatsApp client library takes our calls for WhatsApp's.
#[utoipa::path(put, path = "/api/v1/webhooks/waba/{id}/app_secret/", operation_id = "put_app_secret",
    tag = "Webhooks", params(("id" = i64, Path, description = "The webhook.")), request_body = AppSecret,
    responses((status = 200, description = "The secrets from now on.", body = Secrets)))]
pub async fn put_app_secret(
    caller: Caller,
    state: State,
    path: web::Path<String>,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    let id = WebhookId(number_in_path(&path)?);
    // Whose it is not learns nothing of what a body should hold.
    state.application.signing_secrets(&caller.context(), id).await.map_err(refused)?;
    let mut fields = body.read().await?;
    if !fields.has("app_secret") {
        fields.refuse("app_secret", text::REQUIRED);
    }
    let read = (fields.optional_text("app_secret", MAX_SECRET),);
    let (secret,) = fields.finish(read)?;
    state.application.set_app_secret(&caller.context(), id, secret.as_deref()).await.map_err(refused)?;
    show(&caller, &state, id).await
}

async fn show(caller: &Caller, state: &State, id: WebhookId) -> Result<HttpResponse, ApiError> {
    let shown = state.application.signing_secrets(&caller.context(), id).await.map_err(refused)?;
    Ok(super::ok(&Secrets::new(&shown)))
}

fn refused(error: ApplicationError) -> ApiError {
    match error {
        ApplicationError::UnknownWebhook => ApiError::NotFound,
        error => error.into(),
    }
}
