//! `/api/v1/whatsapp/webhooks`: the Cloud API's calls for all tenants (R-IN-1, R-IN-2).

use actix_web::{HttpRequest, HttpResponse, http::header::ContentType, web};

use super::{HookError, RawBody, answer};
use crate::{
    app::AppState,
    extract::{Query, WhatsApp},
};

/// The header with Meta's signature.
const SIGNATURE: &str = "x-hub-signature-256";

/// Meta asks whether this address is ours: the challenge comes back when the token is right.
#[utoipa::path(get, path = "/api/v1/whatsapp/webhooks", operation_id = "verify_webhook", tag = "WhatsApp",
    security(()),
    params(("hub.mode" = String, Query, description = "`subscribe`."),
        ("hub.verify_token" = String, Query, description = "The verify token."),
        ("hub.challenge" = String, Query, description = "What is to be answered.")),
    responses((status = 200, description = "The challenge.", body = String, content_type = "text/plain"),
        (status = 403, description = "Another token.", body = String, content_type = "text/plain")))]
pub async fn verify(_: WhatsApp, state: web::Data<AppState>, query: Query) -> Result<HttpResponse, HookError> {
    let token = query.get("hub.verify_token").filter(|_| query.get("hub.mode") == Some("subscribe"));
    let verified = match token {
        Some(token) => state.application.verifies_subscription(token).await?,
        None => false,
    };
    if !verified {
        return Ok(HttpResponse::Forbidden().content_type(ContentType::plaintext()).body("Forbidden"));
    }
    let challenge = query.get("hub.challenge").unwrap_or_default().to_owned();
    Ok(HttpResponse::Ok().content_type(ContentType::plaintext()).body(challenge))
}

/// A call of the Cloud API. 200 only after everything in it is durable.
#[utoipa::path(post, path = "/api/v1/whatsapp/webhooks", operation_id = "receive_webhook", tag = "WhatsApp",
    security(()),
    params(("X-Hub-Signature-256" = String, Header, description = "`sha256=` and the HMAC of the body.")),
    request_body(content = Object, description = "WhatsApp's call."),
    responses(
        (status = 200, description = "Recorded.", body = Object, example = json!({"success": true})),
        (status = 401, description = "The signature is not Meta's.", body = Object, example = json!(
            {"success": false, "error": "Invalid signature", "details": {"code": "INVALID_SIGNATURE"}}))))]
pub async fn receive(
    _: WhatsApp,
    state: web::Data<AppState>,
    request: HttpRequest,
    body: RawBody,
) -> Result<HttpResponse, HookError> {
    let signature = request.headers().get(SIGNATURE).and_then(|signature| signature.to_str().ok());
    answer(state.application.receive_cloud(signature, &body.0).await)
}
