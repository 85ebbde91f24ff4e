//! Who a request is from: provider key, then token, then session; the first that succeeds wins (R-AUTH-1).

pub(crate) mod cookies;
mod credentials;
pub(crate) mod csrf;
pub(crate) mod log_in;

use std::time::Instant;

use actix_web::{HttpMessage, HttpRequest, dev::Payload, web};
use chatledger_domain::{TenantId, UserId};

use self::csrf::SetAside;
use crate::{
    app::AppState,
    error::{ApiError, INACTIVE_USER, INVALID_TOKEN, NOT_PROVIDED},
    extract::Caller,
    origin,
    shell::RequestId,
};

/// Names the tenant where neither credential nor host does (R-GEN-2).
const TENANT: &str = "x-tenant";

/// A request whose sender is to be found out.
pub(crate) struct Attempt {
    request: HttpRequest,
    /// The body, where it may hold the token against forgery that a session needs.
    body: Option<SetAside>,
}

/// The tenant of a request without a credential that is bound to one: by host, header, or the only one (R-GEN-2).
pub(crate) async fn tenant_of(state: &AppState, request: &HttpRequest) -> Result<Option<TenantId>, ApiError> {
    let slug = request.headers().get(TENANT).and_then(|slug| slug.to_str().ok());
    Ok(state.application.resolve_tenant(Some(&origin::host(request)), slug).await?)
}

impl Attempt {
    /// Begins one. It may take the body and leave another in its place, which gives the same bytes.
    pub fn begin(request: &HttpRequest, payload: &mut Payload) -> Self {
        let is_candidate = credentials::session(request).is_some() && credentials::token(request).is_none();
        let body = if is_candidate { SetAside::where_needed(request, payload) } else { None };
        Self { request: request.clone(), body }
    }

    /// The sender; `None` without a credential that this family looks at (R-AUTH-4, R-AUTH-7).
    pub async fn caller(self) -> Result<Option<Caller>, ApiError> {
        let Self { request, body } = self;
        let state = request.app_data::<web::Data<AppState>>().ok_or(ApiError::Internal)?;
        let mut failed = false;
        if let Some(key) = credentials::provider_key(&request) {
            match by_provider(state, &request, key).await? {
                Some(caller) => return Ok(Some(caller)),
                None => failed = true,
            }
        }
        if let Some(token) = credentials::token(&request) {
            return by_token(state, &request, token).await.map(Some);
        }
        if let Some(session) = credentials::session(&request) {
            match by_session(state, &request, &session).await? {
                Some(caller) => {
                    csrf::check_session(&request, body).await?;
                    return Ok(Some(caller));
                }
                None => failed = true,
            }
        }
        if failed {
            fail(state, &request)?;
        }
        Ok(None)
    }
}

/// Counts a credential that was none (R-LIM-5).
fn fail(state: &AppState, request: &HttpRequest) -> Result<(), ApiError> {
    state.throttles.failed(origin::client(request), Instant::now()).map_err(ApiError::Throttled)
}

async fn by_provider(state: &AppState, request: &HttpRequest, key: &str) -> Result<Option<Caller>, ApiError> {
    // Asking may be a call to the outside, which nobody may cause without end.
    if state.throttles.may_try(origin::client(request), Instant::now()).is_err() {
        return Ok(None);
    }
    let Some(tenant) = tenant_of(state, request).await? else { return Ok(None) };
    let Some(user) = state.application.user_of_provider_key(tenant, key).await? else { return Ok(None) };
    admit(state, request, tenant, user).await
}

async fn by_token(state: &AppState, request: &HttpRequest, token: Option<&str>) -> Result<Caller, ApiError> {
    let found = match token {
        Some(token) => state.application.authenticate(token).await?,
        None => None,
    };
    let Some((tenant, user)) = found else {
        fail(state, request)?;
        return Err(ApiError::Unauthenticated(INVALID_TOKEN));
    };
    if !is_at_home(state, request, tenant).await? {
        return Err(ApiError::Unauthenticated(NOT_PROVIDED));
    }
    match admit(state, request, tenant, user).await? {
        Some(caller) => Ok(caller),
        None => {
            fail(state, request)?;
            Err(ApiError::Unauthenticated(INACTIVE_USER))
        }
    }
}

async fn by_session(state: &AppState, request: &HttpRequest, session: &str) -> Result<Option<Caller>, ApiError> {
    let Some((tenant, user)) = state.application.user_of_session(session).await? else { return Ok(None) };
    if !is_at_home(state, request, tenant).await? {
        return Ok(None);
    }
    admit(state, request, tenant, user).await
}

/// Whether the host that was asked is not another tenant's (R-GEN-2).
async fn is_at_home(state: &AppState, request: &HttpRequest, tenant: TenantId) -> Result<bool, ApiError> {
    let host = state.application.tenant_of_host(&origin::host(request)).await?;
    Ok(host.is_none_or(|host| host == tenant))
}

/// The user as a caller, unless it is not active; or it asks too often.
async fn admit(
    state: &AppState,
    request: &HttpRequest,
    tenant: TenantId,
    user: UserId,
) -> Result<Option<Caller>, ApiError> {
    let caller = state.inbox.caller(tenant, user).await?.filter(|caller| caller.user.is_active);
    let Some(caller) = caller else { return Ok(None) };
    state.throttles.request(tenant, user, Instant::now()).map_err(ApiError::Throttled)?;
    let correlation_id = request.extensions().get::<RequestId>().map_or("", RequestId::as_str).to_owned();
    Ok(Some(Caller { tenant, actor: caller.actor, user: caller.user, correlation_id }))
}
