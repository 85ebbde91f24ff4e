//! `POST /api/v1/mark_as_received/`: moves the caller's mark in a chat up (R-RCV-*).

use actix_web::HttpResponse;
use serde_json::json;
use utoipa::ToSchema;

use super::State;
use crate::{
    error::ApiError,
    extract::{Body, Caller},
    routes::{Endpoint, to},
};

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] =
    &[Endpoint::new("POST", "/api/v1/mark_as_received/", "mark_as_received", || to(mark))];

/// Up to where a chat was received.
#[derive(ToSchema)]
#[schema(example = json!({"timestamp": 1767693600, "customer_wa_id": "351912000111"}))]
pub struct Mark {
    /// POSIX seconds. Smaller than the mark so far: no effect.
    pub timestamp: i64,
    /// The chat.
    pub customer_wa_id: String,
}

/// Marks the messages of a chat up to a time as received by the caller.
#[utoipa::path(post, path = "/api/v1/mark_as_received/", operation_id = "mark_as_received", tag = "Messages",
    request_body = Mark,
    responses((status = 201, description = "Marked.", body = Object, example = json!({})),
        (status = 404, description = "No such chat, or not readable.", body = Object,
            example = json!({"detail": "Not found."}))))]
pub async fn mark(caller: Caller, state: State, body: Body) -> Result<HttpResponse, ApiError> {
    let mut fields = body.read().await?;
    let read = (fields.integer("timestamp"), fields.wa_id("customer_wa_id"));
    let (timestamp, wa_id) = fields.finish(read)?;
    state.application.mark_as_received(&caller.context(), &wa_id, timestamp).await?;
    Ok(super::created(&json!({})))
}
