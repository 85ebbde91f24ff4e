//! `POST /api/v1/auth/token/`: a user's token for its password (R-AUTH-2).

use std::time::Instant;

use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;
use utoipa::ToSchema;

use super::State;
use crate::{
    error::ApiError,
    extract::{Anyone, Body},
    origin,
    routes::{Endpoint, to},
};

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] = &[Endpoint::new("POST", "/api/v1/auth/token/", "create_token", || to(token))];

/// Names the tenant where the host does not (R-GEN-2).
const TENANT: &str = "x-tenant";
const NO_TENANT: &str = "The inbox cannot be told from the host; name it in the header X-Tenant.";
const REFUSED: &str = "Unable to log in with provided credentials.";
/// Longer names and passwords are nobody's, in characters.
const MAX_LEN: usize = 1_000;

/// What is needed to log in.
#[derive(ToSchema)]
#[schema(example = json!({"username": "ines", "password": "correct horse battery staple"}))]
pub struct Credentials {
    /// The user's name, in any case.
    pub username: String,
    /// Its password.
    pub password: String,
}

/// Gives a user's token: the existing one, or a new one. After 10 failures in 15 minutes it has to wait.
#[utoipa::path(post, path = "/api/v1/auth/token/", operation_id = "create_token", tag = "Access", security(()),
    params(("X-Tenant" = Option<String>, Header, description = "The inbox's slug, where the host does not tell.")),
    request_body = Credentials,
    responses((status = 200, description = "The token.", body = Object,
        example = json!({"token": "3f1c9a0b5d7e2f4a6c8b0d1e3f5a7b9c1d3e5f70"}))))]
pub async fn token(_: Anyone, state: State, request: HttpRequest, body: Body) -> Result<HttpResponse, ApiError> {
    let mut fields = body.read().await?;
    let read = (fields.text("username", MAX_LEN), fields.untrimmed_text("password", MAX_LEN));
    let (username, password) = fields.finish(read)?;
    let slug = request.headers().get(TENANT).and_then(|slug| slug.to_str().ok());
    let tenant = state.application.resolve_tenant(Some(&origin::host(&request)), slug).await?;
    let tenant = tenant.ok_or_else(|| ApiError::Reason(NO_TENANT.to_owned()))?;
    let account = (tenant, username.to_lowercase(), origin::client(&request));
    state.throttles.begin_log_in(&account, Instant::now()).map_err(ApiError::Throttled)?;
    let answer = state.application.log_in(tenant, &username, &password).await;
    if !matches!(answer, Ok(None)) {
        state.throttles.take_back_log_in(&account);
    }
    let token = answer?.ok_or_else(|| ApiError::field("non_field_errors", REFUSED))?;
    Ok(super::ok(&json!({"token": token})))
}
