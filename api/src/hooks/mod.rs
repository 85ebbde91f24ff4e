//! The doors for WhatsApp (webhooks §6.1, §6.2). The hot path: no credential, no user, one call.

pub mod channel;
pub mod cloud;
mod error;

use std::time::Duration;

use actix_web::{FromRequest, HttpRequest, HttpResponse, dev::Payload, http::header, web};
use chatledger_application::{ApplicationError, inbound::WebhookVerdict};
use futures_util::{FutureExt, future::LocalBoxFuture};

pub use error::HookError;

use crate::{
    app::AppState,
    extract::read_body,
    routes::{Endpoint, to},
};

/// The longest body of a webhook (errors-and-limits §8), in bytes.
const MAX_BODY: usize = 4 * 1024 * 1024;
/// The answer that Meta waits for, exactly.
const RECORDED: &str = r#"{"success":true}"#;

/// The endpoints.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new("GET", "/api/v1/whatsapp/webhooks", "verify_webhook", || to(cloud::verify)),
    Endpoint::new("POST", "/api/v1/whatsapp/webhooks", "receive_webhook", || to(cloud::receive)),
    Endpoint::new("POST", "/hooks/waba/{channel_secret}", "receive_channel_webhook", || to(channel::receive)),
];

/// The bytes of a webhook as they came, whatever the content type says.
pub struct RawBody(web::Bytes);

impl FromRequest for RawBody {
    type Error = HookError;
    type Future = LocalBoxFuture<'static, Result<Self, HookError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let length = request.headers().get(header::CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
        let deadline = request
            .app_data::<web::Data<AppState>>()
            .map_or(Duration::from_secs(30), |state| state.settings.body_deadline);
        let payload = payload.take();
        async move { Ok(Self(read_body(payload, length, MAX_BODY, deadline).await?)) }.boxed_local()
    }
}

fn answer(verdict: Result<WebhookVerdict, ApplicationError>) -> Result<HttpResponse, HookError> {
    match verdict? {
        WebhookVerdict::Recorded => Ok(HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, "application/json; charset=utf-8"))
            .body(RECORDED)),
        WebhookVerdict::NotACall => Err(HookError::NotACall),
        WebhookVerdict::InvalidSignature => Err(HookError::InvalidSignature),
        WebhookVerdict::UnknownChannel => Err(HookError::UnknownChannel),
    }
}
