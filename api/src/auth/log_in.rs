//! Trying names and passwords, no more often than agreed (S13, R-LIM-5).

use std::time::Instant;

use actix_web::HttpRequest;
use chatledger_application::ApplicationError;
use chatledger_domain::TenantId;

use crate::{app::AppState, error::ApiError, origin};

/// What a failed log-in is told.
pub(crate) const REFUSED: &str = "Unable to log in with provided credentials.";
/// What is told where the tenant cannot be.
pub(crate) const NO_TENANT: &str = "The inbox cannot be told from the host; name it in the header X-Tenant.";
/// Longer names and passwords are nobody's, in characters.
pub(crate) const MAX_LEN: usize = 1_000;

/// Tries to log in; `None` when the try failed. After ten failures of a name from an address it has to wait, wherever
/// it tries: nobody else does.
///
/// # Errors
/// 429, or what the try ended with.
pub(crate) async fn attempt<T>(
    state: &AppState,
    request: &HttpRequest,
    (tenant, username): (TenantId, &str),
    attempt: impl Future<Output = Result<Option<T>, ApplicationError>>,
) -> Result<Option<T>, ApiError> {
    let (client, now) = (origin::client(request), Instant::now());
    state.throttles.may_try(client, now).map_err(ApiError::Throttled)?;
    let account = (tenant, username.to_lowercase(), client);
    state.throttles.begin_log_in(&account, now).map_err(ApiError::Throttled)?;
    let answer = attempt.await;
    if matches!(answer, Ok(None)) {
        // Whether this was the last that may fail is told to the next.
        let _ = state.throttles.failed(client, now);
    } else {
        state.throttles.take_back_log_in(&account);
    }
    Ok(answer?)
}
