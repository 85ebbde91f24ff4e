//! `GET /api/v1/`: whether the API is there (R-GEN-11).

use actix_web::{
    HttpRequest, HttpResponse,
    cookie::{Cookie, SameSite, time::Duration},
};
use serde_json::json;

use super::State;
use crate::{
    extract::Visitor,
    origin,
    routes::{Endpoint, to},
};

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] = &[Endpoint::new("GET", "/api/v1/", "get_root", || to(root))];

/// A year, as Django has it, in seconds.
const CSRF_AGE: i64 = 31_449_600;

/// Answers `{}` and sets the `csrftoken` cookie. A token that is sent along must be good.
#[utoipa::path(get, path = "/api/v1/", operation_id = "get_root", tag = "Access", security(()),
    responses((status = 200, description = "The API is there.", body = Object, example = json!({}))))]
pub async fn root(_: Visitor, state: State, request: HttpRequest) -> HttpResponse {
    let known = request.cookie("csrftoken").map(|cookie| cookie.value().to_owned());
    let is_ours = |value: &String| value.len() == 64 && value.bytes().all(|b| b.is_ascii_hexdigit());
    let value = known.filter(is_ours).unwrap_or_else(|| state.random.hex(32));
    let cookie = Cookie::build("csrftoken", value)
        .path("/")
        .same_site(SameSite::Lax)
        .max_age(Duration::seconds(CSRF_AGE))
        .secure(origin::is_https(&request))
        .finish();
    let mut response = super::ok(&json!({}));
    // Fails only for a cookie that cannot be a header, and this one is hexadecimal.
    if let Err(error) = response.add_cookie(&cookie) {
        tracing::error!(%error, "a cookie cannot be set");
    }
    response
}
