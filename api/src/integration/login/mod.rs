//! `/login/`: where people log in with a browser and get a session (R-AUTH-9).

mod page;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
};
use utoipa::ToSchema;

use self::page::Page;
use super::State;
use crate::{
    auth::{
        cookies, csrf,
        log_in::{self, MAX_LEN, NO_TENANT, REFUSED},
        tenant_of,
    },
    error::ApiError,
    extract::{Anyone, Body, Query},
    routes::{Endpoint, to},
};

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new("GET", "/login/", "get_login_page", || to(show)),
    Endpoint::new("POST", "/login/", "log_in", || to(submit)),
];

/// Where a log-in leads to without `next`.
const HOME: &str = "/";
/// Longer ones are not followed, in bytes.
const MAX_NEXT: usize = 2_000;

/// The fields of the form.
#[derive(ToSchema)]
#[schema(example = json!({"username": "ines", "password": "correct horse battery staple",
    "csrfmiddlewaretoken": "5f…", "next": "/docs/"}))]
pub struct LogInForm {
    /// The user's name, in any case.
    pub username: String,
    /// Its password.
    pub password: String,
    /// The value of the cookie `csrftoken`; the page has it.
    pub csrfmiddlewaretoken: String,
    /// A path on this host to go to afterwards.
    pub next: Option<String>,
}

/// Shows the form, and sets the `csrftoken` cookie.
#[utoipa::path(get, path = "/login/", operation_id = "get_login_page", tag = "Access", security(()),
    params(("next" = Option<String>, Query, description = "A path on this host to go to afterwards.")),
    responses((status = 200, description = "The form.", content_type = "text/html", body = String)))]
pub async fn show(_: Anyone, state: State, request: HttpRequest, query: Query) -> HttpResponse {
    let next = query.get("next").and_then(path_of_ours).unwrap_or_default();
    answer(&state, &request, StatusCode::OK, Page { next, ..Page::default() })
}

/// Logs in: sets the cookies `sessionid` and `csrftoken`, and leads on. After 10 failures in 15 minutes it has to wait.
#[utoipa::path(post, path = "/login/", operation_id = "log_in", tag = "Access", security(()),
    params(("X-Tenant" = Option<String>, Header, description = "The inbox's slug, where the host does not tell.")),
    request_body(content = LogInForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 302, description = "Logged in; `Location` is `next` or `/`."),
        (status = 200, description = "Not logged in: the form, with what is wrong.", content_type = "text/html",
            body = String),
        (status = 403, description = "The form is not ours.", body = Object,
            example = json!({"detail": "CSRF Failed: CSRF token missing or incorrect."}))))]
pub async fn submit(_: Anyone, state: State, request: HttpRequest, body: Body) -> Result<HttpResponse, ApiError> {
    let mut fields = body.read().await?;
    csrf::check(&request, csrf::token_in(&mut fields).as_deref())?;
    let next = fields.optional_text("next", MAX_NEXT).flatten();
    let next = next.as_deref().and_then(path_of_ours);
    let username = fields.text("username", MAX_LEN).unwrap_or_default();
    let again = |status, error| {
        let page = Page { next: next.unwrap_or_default(), username: &username, error, ..Page::default() };
        Ok(answer(&state, &request, status, page))
    };
    let password = fields.untrimmed_text("password", MAX_LEN).filter(|_| !username.is_empty());
    let Some(password) = password else { return again(StatusCode::OK, "Please enter your username and password.") };
    let Some(tenant) = tenant_of(&state, &request).await? else { return again(StatusCode::BAD_REQUEST, NO_TENANT) };
    let work = state.application.open_session(tenant, &username, &password);
    match log_in::attempt(&state, &request, (tenant, &username), work).await? {
        Some(session) => welcome(&state, &request, &session, next.unwrap_or(HOME)).await,
        None => again(StatusCode::OK, REFUSED),
    }
}

/// Both cookies are new: whatever the browser held before, or was made to hold, is worth nothing from now on.
async fn welcome(state: &State, request: &HttpRequest, session: &str, next: &str) -> Result<HttpResponse, ApiError> {
    if let Some(previous) = cookies::session(request) {
        state.application.end_session(&previous).await?;
    }
    let mut response = HttpResponse::Found().insert_header((header::LOCATION, next)).finish();
    cookies::set_csrf_token(&mut response, request, &cookies::new_csrf_token(state));
    cookies::set_session(&mut response, request, session);
    Ok(response)
}

fn answer(state: &State, request: &HttpRequest, status: StatusCode, page: Page<'_>) -> HttpResponse {
    let token = cookies::csrf_token_or_new(state, request);
    let mut response = Page { csrf_token: &token, ..page }.answer(status);
    cookies::set_csrf_token(&mut response, request, &token);
    response
}

/// A path on this host, and nothing that a browser could take for another place: no `//host`, no `/\\host`, nothing
/// that it would leave out before it looks.
fn path_of_ours(next: &str) -> Option<&str> {
    let is_path = next.starts_with('/') && !next.starts_with("//") && next.len() <= MAX_NEXT;
    (is_path && next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_auth_9_next_leads_to_no_other_host() {
        for fine in ["/", "/docs/", "/a?b=//c#d", "/a:b@c", "/%5Cevil.example"] {
            assert_eq!(path_of_ours(fine), Some(fine));
        }
        let long = format!("/{}", "a".repeat(2_000));
        for bad in [
            "",
            "a",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https://evil.example",
            "https:evil.example",
            "javascript:alert(1)",
            "/\t/evil.example",
            "/a\r\nSet-Cookie: x=y",
            " /a",
            "/\u{2028}",
            &long,
        ] {
            assert_eq!(path_of_ours(bad), None, "{bad:?}");
        }
    }
}
