//! `/api/v1/users/activate/{code}/`: a new user becomes one, once (R-USR-3 … R-USR-5).

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        Method,
        header::{self, Accept, Header},
    },
    web,
};
use serde_json::json;

use super::State;
use crate::{
    error::ApiError,
    extract::Anyone,
    origin,
    routes::{Endpoint, to},
};

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new("GET", "/api/v1/users/activate/{code}/", "follow_activation", || to(follow)),
    Endpoint::new("POST", "/api/v1/users/activate/{code}/", "activate_user", || to(activate)),
];

/// Activates a user by the link that was shown when it was created: a program gets its token, people are told that they
/// may log in. The second time there is no such link. `HEAD` only tells whether there is.
#[utoipa::path(get, path = "/api/v1/users/activate/{code}/", operation_id = "follow_activation", tag = "Access",
    security(()), params(("code" = String, Path, description = "The last part of the link.")),
    responses(
        (status = 200, description = "Active from now on; a program's token.", body = Object,
            example = json!({"token": "3f1c9a0b5d7e2f4a6c8b0d1e3f5a7b9c1d3e5f70"})),
        (status = 302, description = "Active from now on; a browser goes on to log in.")))]
pub async fn follow(
    _: Anyone,
    state: State,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    take(&state, &request, &path).await
}

/// The same.
#[utoipa::path(post, path = "/api/v1/users/activate/{code}/", operation_id = "activate_user", tag = "Access",
    security(()), params(("code" = String, Path, description = "The last part of the link.")),
    responses(
        (status = 200, description = "Active from now on.", body = Object, example = json!({"activated": true})),
        (status = 302, description = "Active from now on; a browser goes on to log in.")))]
pub async fn activate(
    _: Anyone,
    state: State,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    take(&state, &request, &path).await
}

async fn take(state: &State, request: &HttpRequest, code: &str) -> Result<HttpResponse, ApiError> {
    let tenant = state.application.activation_code_counts(code).await?.ok_or(ApiError::NotFound)?;
    let host = state.application.tenant_of_host(&origin::host(request)).await?;
    if host.is_some_and(|host| host != tenant) {
        return Err(ApiError::NotFound);
    }
    if request.method() == Method::HEAD {
        return Ok(super::ok(&json!({})));
    }
    let activated = state.application.activate_by_code(code).await?.ok_or(ApiError::NotFound)?;
    Ok(match activated.token {
        Some(token) => super::ok(&json!({"token": token})),
        None if wants_html(request) => HttpResponse::Found().insert_header((header::LOCATION, "/login/")).finish(),
        None => super::ok(&json!({"activated": true})),
    })
}

/// Whether a browser asks, which names HTML before anything else; programs name JSON, or nothing in particular.
fn wants_html(request: &HttpRequest) -> bool {
    let ranked = Accept::parse(request).map(|accept| accept.ranked()).unwrap_or_default();
    ranked.first().is_some_and(|first| first.essence_str() == "text/html")
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_browser_is_told_by_what_it_likes_best() {
        let html =
            |accept: &str| wants_html(&TestRequest::default().insert_header(("accept", accept)).to_http_request());
        assert!(html("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
        assert!(html("application/json;q=0.5, text/html"));
        assert!(!html("*/*"));
        assert!(!html("application/json, text/html;q=0.9"));
        assert!(!html("application/json, text/plain, */*"));
        assert!(!html("nonsense"));
        assert!(!wants_html(&TestRequest::default().to_http_request()));
    }
}
