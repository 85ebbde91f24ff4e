//! `/api/v1/users/…/password/change/`: one's own password, or as an admin somebody else's (R-USR-6, R-USR-9).

use std::time::Instant;

use actix_web::{HttpRequest, HttpResponse, web};
use chatledger_application::ApplicationError;
use chatledger_domain::{UserId, password::MAX_LEN};
use serde_json::json;
use utoipa::ToSchema;

use super::State;
use crate::{
    error::ApiError,
    extract::{Admin, Body, Caller, number_in_path},
    origin,
    routes::{Endpoint, to},
};

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new("PUT", "/api/v1/users/password/change/", "put_own_password", || to(put_own)),
    Endpoint::new("POST", "/api/v1/users/password/change/", "post_own_password", || to(post_own)),
    Endpoint::new("PUT", "/api/v1/users/{id}/password/change/", "put_password", || to(put)),
    Endpoint::new("POST", "/api/v1/users/{id}/password/change/", "post_password", || to(post)),
];

/// The longest text that is compared with a password, in characters.
const MAX_CURRENT: usize = 1_000;

/// A new password of one's own.
#[derive(ToSchema)]
#[schema(example = json!({"current_password": "correct horse battery staple", "new_password": "another good one"}))]
pub struct OwnPassword {
    /// The password until now.
    pub current_password: String,
    /// The password from now on: 8 to 128 characters, not all digits, not one of the most common.
    pub new_password: String,
}

/// A new password of somebody else.
#[derive(ToSchema)]
#[schema(example = json!({"password": "another good one"}))]
pub struct Password {
    /// The password from now on: 8 to 128 characters, not all digits, not one of the most common.
    pub password: String,
}

/// Changes the caller's password; its token stays.
#[utoipa::path(put, path = "/api/v1/users/password/change/", operation_id = "put_own_password", tag = "Users",
    request_body = OwnPassword, responses((status = 200, description = "Changed.", body = Object, example = json!({}))))]
pub async fn put_own(caller: Caller, state: State, request: HttpRequest, body: Body) -> Result<HttpResponse, ApiError> {
    change_own(&caller, &state, &request, body).await
}

/// The same.
#[utoipa::path(post, path = "/api/v1/users/password/change/", operation_id = "post_own_password", tag = "Users",
    request_body = OwnPassword, responses((status = 200, description = "Changed.", body = Object, example = json!({}))))]
pub async fn post_own(
    caller: Caller,
    state: State,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    change_own(&caller, &state, &request, body).await
}

/// Sets a user's password, also before it is activated, which this does not do; for admins.
#[utoipa::path(put, path = "/api/v1/users/{id}/password/change/", operation_id = "put_password", tag = "Users",
    params(("id" = i64, Path, description = "The user.")), request_body = Password,
    responses((status = 200, description = "Set.", body = Object, example = json!({}))))]
pub async fn put(
    Admin(caller): Admin,
    state: State,
    path: web::Path<String>,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    set(&caller, &state, &path, body).await
}

/// The same.
#[utoipa::path(post, path = "/api/v1/users/{id}/password/change/", operation_id = "post_password", tag = "Users",
    params(("id" = i64, Path, description = "The user.")), request_body = Password,
    responses((status = 200, description = "Set.", body = Object, example = json!({}))))]
pub async fn post(
    Admin(caller): Admin,
    state: State,
    path: web::Path<String>,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    set(&caller, &state, &path, body).await
}

/// Whoever has found a token must not find the password by trying: wrong ones count as failed log-ins.
async fn change_own(
    caller: &Caller,
    state: &State,
    request: &HttpRequest,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    let mut fields = body.read().await?;
    let read = (fields.untrimmed_text("current_password", MAX_CURRENT), fields.untrimmed_text("new_password", MAX_LEN));
    let (current, new) = fields.finish(read)?;
    let account = (caller.tenant, caller.user.username.to_lowercase(), origin::client(request));
    state.throttles.begin_log_in(&account, Instant::now()).map_err(ApiError::Throttled)?;
    let changed = state.application.change_own_password(&caller.context(), &current, &new).await;
    if !matches!(changed, Err(ApplicationError::WrongPassword)) {
        state.throttles.take_back_log_in(&account);
    }
    changed.map_err(|error| refused(error, "new_password"))?;
    Ok(super::ok(&json!({})))
}

async fn set(caller: &Caller, state: &State, path: &str, body: Body) -> Result<HttpResponse, ApiError> {
    let id = UserId(number_in_path(path)?);
    let mut fields = body.read().await?;
    let read = (fields.untrimmed_text("password", MAX_LEN),);
    let (password,) = fields.finish(read)?;
    let set = state.application.set_password(&caller.context(), id, &password).await;
    set.map_err(|error| refused(error, "password"))?;
    Ok(super::ok(&json!({})))
}

fn refused(error: ApplicationError, field: &str) -> ApiError {
    match error {
        ApplicationError::UnknownUser(_) => ApiError::NotFound,
        ApplicationError::WeakPassword(flaw) => ApiError::field(field, flaw.to_string()),
        error => error.into(),
    }
}
