//! `/api/v1/auth/…`: a user's token for its password or a refresh token, and the end of a session (R-AUTH-2).

use std::time::Instant;

use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;
use utoipa::ToSchema;

use super::State;
use crate::{
    auth::{
        cookies,
        log_in::{self, MAX_LEN, NO_TENANT, REFUSED},
        tenant_of,
    },
    error::ApiError,
    extract::{Anyone, Body, Caller},
    origin,
    routes::{Endpoint, to},
};

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new("POST", "/api/v1/auth/token/", "create_token", || to(token)),
    Endpoint::new("POST", "/api/v1/auth/convert_refresh_token/", "convert_refresh_token", || to(convert)),
    Endpoint::new("GET", "/api/v1/auth/logout/", "log_out", || to(log_out)),
    Endpoint::new("POST", "/api/v1/auth/logout/", "log_out_by_post", || to(log_out_by_post)),
];

const NO_REFRESH_TOKEN: &str = "The refresh token is unknown, used or expired.";

/// What is needed to log in.
#[derive(ToSchema)]
#[schema(example = json!({"username": "ines", "password": "correct horse battery staple"}))]
pub struct Credentials {
    /// The user's name, in any case.
    pub username: String,
    /// Its password.
    pub password: String,
}

/// A refresh token to be exchanged.
#[derive(ToSchema)]
#[schema(example = json!({"refresh_token": "6c1f3f0e9b2e7b3a9d103a5f2b9c7e11", "keep_refresh_token": false}))]
pub struct RefreshToken {
    /// What the operator handed out.
    pub refresh_token: String,
    /// Whether it can be exchanged again, until it expires; `false` unless told.
    pub keep_refresh_token: Option<bool>,
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
    let tenant = tenant_of(&state, &request).await?.ok_or_else(|| ApiError::Reason(NO_TENANT.to_owned()))?;
    let work = state.application.log_in(tenant, &username, &password);
    let token = log_in::attempt(&state, &request, (tenant, &username), work).await?;
    let token = token.ok_or_else(|| ApiError::field("non_field_errors", REFUSED))?;
    Ok(super::ok(&json!({"token": token})))
}

/// Exchanges a refresh token, which an operator made for a user, for the user's token.
#[utoipa::path(post, path = "/api/v1/auth/convert_refresh_token/", operation_id = "convert_refresh_token",
    tag = "Access", security(()), request_body = RefreshToken,
    responses((status = 200, description = "The token.", body = Object,
            example = json!({"token": "3f1c9a0b5d7e2f4a6c8b0d1e3f5a7b9c1d3e5f70"})),
        (status = 400, description = "Not a refresh token, or no more.", body = Object,
            example = json!({"reason": "The refresh token is unknown, used or expired."}))))]
pub async fn convert(_: Anyone, state: State, request: HttpRequest, body: Body) -> Result<HttpResponse, ApiError> {
    let mut fields = body.read().await?;
    let read = (fields.text("refresh_token", MAX_LEN), fields.optional_boolean("keep_refresh_token"));
    let (refresh_token, keep) = fields.finish(read)?;
    let (client, now) = (origin::client(&request), Instant::now());
    state.throttles.may_try(client, now).map_err(ApiError::Throttled)?;
    match state.application.convert_refresh_token(&refresh_token, keep.unwrap_or(false)).await? {
        Some(token) => Ok(super::ok(&json!({"token": token}))),
        None => {
            state.throttles.failed(client, now).map_err(ApiError::Throttled)?;
            Err(ApiError::Reason(NO_REFRESH_TOKEN.to_owned()))
        }
    }
}

/// Ends the session of the browser that asks. The user's token lives on: all of the user's programs share it.
#[utoipa::path(get, path = "/api/v1/auth/logout/", operation_id = "log_out", tag = "Access",
    responses((status = 200, description = "Logged out.", body = Object, example = json!({}))))]
pub async fn log_out(_: Caller, state: State, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let mut response = super::ok(&json!({}));
    if let Some(session) = cookies::session(&request) {
        state.application.end_session(&session).await?;
        cookies::drop_session(&mut response, &request);
    }
    Ok(response)
}

/// The same.
#[utoipa::path(post, path = "/api/v1/auth/logout/", operation_id = "log_out_by_post", tag = "Access",
    responses((status = 200, description = "Logged out.", body = Object, example = json!({}))))]
pub async fn log_out_by_post(caller: Caller, state: State, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    log_out(caller, state, request).await
}
