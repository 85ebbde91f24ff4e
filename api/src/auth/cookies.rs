//! The two cookies of browsers, named and shaped as the contract says (R-AUTH-9).

use actix_web::{
    HttpRequest, HttpResponse,
    cookie::{Cookie, CookieBuilder, SameSite, time::Duration},
};
use chatledger_application::users::SESSION_LIFE;

use crate::{app::AppState, origin};

const SESSION: &str = "sessionid";
const CSRF: &str = "csrftoken";
/// A year, as Django has it, in seconds.
const CSRF_AGE: i64 = 31_449_600;

/// The id of the session that a request shows.
pub(crate) fn session(request: &HttpRequest) -> Option<String> {
    value(request, SESSION)
}

/// The token against forgery that the browser keeps.
pub(crate) fn csrf_token(request: &HttpRequest) -> Option<String> {
    value(request, CSRF)
}

/// The same where it is one of ours, else a new one.
pub(crate) fn csrf_token_or_new(state: &AppState, request: &HttpRequest) -> String {
    let is_ours = |value: &String| value.len() == 64 && value.bytes().all(|b| b.is_ascii_hexdigit());
    csrf_token(request).filter(is_ours).unwrap_or_else(|| new_csrf_token(state))
}

/// A new one.
pub(crate) fn new_csrf_token(state: &AppState) -> String {
    state.random.hex(32)
}

/// Gives the browser its session.
pub(crate) fn set_session(response: &mut HttpResponse, request: &HttpRequest, id: &str) {
    let age = Duration::seconds(SESSION_LIFE.num_seconds());
    add(response, with_common(Cookie::build(SESSION, id), request).http_only(true).max_age(age));
}

/// Takes it away.
pub(crate) fn drop_session(response: &mut HttpResponse, request: &HttpRequest) {
    add(response, with_common(Cookie::build(SESSION, ""), request).http_only(true).max_age(Duration::ZERO));
}

/// Gives the browser its token against forgery, which scripts of our pages may read.
pub(crate) fn set_csrf_token(response: &mut HttpResponse, request: &HttpRequest, token: &str) {
    add(response, with_common(Cookie::build(CSRF, token), request).max_age(Duration::seconds(CSRF_AGE)));
}

fn value(request: &HttpRequest, name: &str) -> Option<String> {
    request.cookie(name).map(|cookie| cookie.value().to_owned())
}

fn with_common<'a>(cookie: CookieBuilder<'a>, request: &HttpRequest) -> CookieBuilder<'a> {
    cookie.path("/").same_site(SameSite::Lax).secure(origin::is_https(request))
}

fn add(response: &mut HttpResponse, cookie: CookieBuilder<'_>) {
    // Fails only for a cookie that cannot be a header, and these are hexadecimal.
    if let Err(error) = response.add_cookie(&cookie.finish()) {
        tracing::error!(%error, "a cookie cannot be set");
    }
}
