//! `/api/v1/users/`: who works in the inbox.

use actix_web::{HttpRequest, HttpResponse, web};
use chatledger_domain::UserId;

use super::{State, wire::Links, wire::User};
use crate::{
    docs::params::PageParams,
    error::ApiError,
    extract::{Caller, ListPage, Query, number_in_path},
    routes::{Endpoint, to},
};

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new("GET", "/api/v1/users/", "list_users", || to(list)),
    Endpoint::new("GET", "/api/v1/users/current/", "get_current_user", || to(current)),
    Endpoint::new("GET", "/api/v1/users/{id}/", "get_user", || to(get)),
];

/// Web Inboxes ask for all users at once.
const MAX_USERS: i64 = 5_000;

/// The users, by id. Here `limit` may be up to 5000.
#[utoipa::path(get, path = "/api/v1/users/", operation_id = "list_users", tag = "Users", params(PageParams),
    responses((status = 200, description = "Users.", body = ListPage<User>)))]
pub async fn list(caller: Caller, state: State, request: HttpRequest, query: Query) -> Result<HttpResponse, ApiError> {
    let part = query.page_of_at_most(MAX_USERS)?;
    let page = state.inbox.users(caller.tenant, part.request()).await?;
    let links = Links::of(&request, &state, caller.tenant);
    let users = page.rows.iter().map(|user| User::new(user, &links)).collect();
    Ok(super::ok(&part.answer(&request, page.count, users)))
}

/// The user that asks.
#[utoipa::path(get, path = "/api/v1/users/current/", operation_id = "get_current_user", tag = "Users",
    responses((status = 200, description = "The user.", body = User)))]
pub async fn current(caller: Caller, state: State, request: HttpRequest) -> HttpResponse {
    super::ok(&User::new(&caller.user, &Links::of(&request, &state, caller.tenant)))
}

/// A user.
#[utoipa::path(get, path = "/api/v1/users/{id}/", operation_id = "get_user", tag = "Users",
    params(("id" = i64, Path, description = "The user.")),
    responses((status = 200, description = "The user.", body = User)))]
pub async fn get(
    caller: Caller,
    state: State,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let id = UserId(number_in_path(&path)?);
    let user = state.inbox.user(caller.tenant, id).await?.ok_or(ApiError::NotFound)?;
    Ok(super::ok(&User::new(&user, &Links::of(&request, &state, caller.tenant))))
}
