//! `/hooks/waba/{channel_secret}`: one tenant's calls, Cloud or flat; the path is the secret.

use actix_web::{HttpResponse, web};

use super::{HookError, RawBody, answer};
use crate::{app::AppState, extract::WhatsApp};

/// A call for one tenant. 200 only after everything in it is durable.
#[utoipa::path(post, path = "/hooks/waba/{channel_secret}", operation_id = "receive_channel_webhook",
    tag = "WhatsApp", security(()),
    params(("channel_secret" = String, Path, description = "The tenant's secret.")),
    request_body(content = Object, description = "WhatsApp's call, with or without its envelope."),
    responses((status = 200, description = "Recorded.", body = Object, example = json!({"success": true}))))]
pub async fn receive(
    _: WhatsApp,
    state: web::Data<AppState>,
    secret: web::Path<String>,
    body: RawBody,
) -> Result<HttpResponse, HookError> {
    answer(state.application.receive_channel(&secret, &body.0).await)
}
