//! `POST /api/v1/whatsapp/auth/token`: a token for a user's name and password (R-JWT-4).

use actix_web::{HttpRequest, HttpResponse};
use chatledger_domain::{TenantId, UserId};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Limit, State,
    body::{JsonBody, JsonFields},
    caller::{count, refuse, tell_failures},
    envelope::{self, Answer},
    error::ServiceError,
    jwt::LIFETIME,
};
use crate::{
    auth::{
        log_in::{self, MAX_LEN},
        tenant_of,
    },
    error::ApiError,
    extract::Anyone,
    routes::{Endpoint, to},
};

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] =
    &[Endpoint::new("POST", "/api/v1/whatsapp/auth/token", "service_create_token", || to(create))];

/// What is needed to log in.
#[derive(ToSchema)]
#[schema(as = ServiceCredentials, example = json!({"username": "ines", "password": "correct horse battery staple",
    "shopId": "550e8400-e29b-41d4-a716-446655440000"}))]
pub struct Credentials {
    /// The user's name, in any case.
    pub username: String,
    /// Its password.
    pub password: String,
    /// The shop; where it is left out, the host or the header `X-Tenant` tells it.
    #[schema(rename = "shopId")]
    pub shop_id: Option<String>,
}

/// A token.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ServiceToken, example = json!({"accessToken": "eyJhbGciOiJIUzI1NiJ9.e30.c2ln", "tokenType": "Bearer",
    "expiresIn": 3600}))]
pub struct Token {
    /// The token.
    pub access_token: String,
    /// `Bearer`.
    pub token_type: &'static str,
    /// Seconds.
    pub expires_in: i64,
}

/// Gives a token for a user's name and password: role `agent` for people, `service` for programs, `admin` for admins.
#[utoipa::path(post, path = "/api/v1/whatsapp/auth/token", operation_id = "service_create_token", tag = "Access",
    security(()), request_body = Credentials,
    responses((status = 200, description = "The token.", body = Answer<Token>, example = json!({"success": true,
            "data": {"accessToken": "eyJhbGciOiJIUzI1NiJ9.e30.c2ln", "tokenType": "Bearer", "expiresIn": 3600},
            "error": null, "pagination": null})),
        (status = 401, description = "A wrong name or password, or no active user.", body = Object)))]
pub async fn create(
    _: Anyone,
    state: State,
    request: HttpRequest,
    body: JsonBody,
) -> Result<HttpResponse, ServiceError> {
    // Only who has the password uses up the shop's limit; others are told of their address's.
    let logged_in = log_in(&state, &request, body).await.inspect_err(|_| tell_failures(&state, &request));
    let (shop, user) = logged_in?;
    count(&state, &request, (shop, ""), Limit::General).await?;
    let caller = state.inbox.caller(shop, user).await?.filter(|caller| caller.user.is_active);
    let role = caller.ok_or_else(ServiceError::unauthorized)?.actor.role;
    let token = state.jwt.issue(user, shop, role.into(), state.clock.now());
    let access_token = token.ok_or_else(ServiceError::internal)?;
    Ok(envelope::ok(Token { access_token, token_type: "Bearer", expires_in: LIFETIME }))
}

/// Whose name and password these are, and in which shop.
async fn log_in(state: &State, request: &HttpRequest, body: JsonBody) -> Result<(TenantId, UserId), ServiceError> {
    let fields = body.read().await?;
    let (username, password) = (fields.text("username", MAX_LEN)?, password(&fields)?);
    let Some(shop) = shop(state, request, &fields).await? else { return Err(refuse(state, request)) };
    let work = state.application.check_log_in(shop, &username, &password);
    let user = log_in::attempt(state, request, (shop, &username), work).await.map_err(of_log_in)?;
    user.map(|user| (shop, user)).ok_or_else(ServiceError::unauthorized)
}

/// As it was typed, blanks and all.
fn password(fields: &JsonFields) -> Result<String, ServiceError> {
    match fields.value("password") {
        Some(value) => {
            let text = value.as_str().ok_or_else(|| ServiceError::invalid_type("password", "a text"))?;
            if text.is_empty() { Err(ServiceError::required("password")) } else { Ok(text.to_owned()) }
        }
        None => Err(ServiceError::required("password")),
    }
}

/// The shop that is named; `None` for none that there is.
async fn shop(state: &State, request: &HttpRequest, fields: &JsonFields) -> Result<Option<TenantId>, ServiceError> {
    let Some(named) = fields.optional_text("shopId", 100)? else {
        return tenant_of(state, request).await.map_err(of_log_in);
    };
    let Ok(id) = named.parse::<Uuid>() else { return Ok(None) };
    let id = TenantId(id);
    Ok(state.application.tenant_exists(id).await?.then_some(id))
}

fn of_log_in(error: ApiError) -> ServiceError {
    match error {
        ApiError::Throttled(wait) => ServiceError::throttled(i64::try_from(wait.0).unwrap_or(60)),
        ApiError::Unavailable => ServiceError::unavailable(),
        error => {
            tracing::error!(?error, "a log-in failed");
            ServiceError::internal()
        }
    }
}
