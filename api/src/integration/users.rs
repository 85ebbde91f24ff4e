//! `/api/v1/users/`: who works in the inbox (R-USR-*).

use actix_web::{HttpRequest, HttpResponse, web};
use chatledger_application::{
    ApplicationError,
    users::{InvitedUser, UserChange},
};
use chatledger_domain::{Role, UserId};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    State,
    user_body::{self, MAX_NAME},
    wire::{CreatedUser, Links, NewUser, User, UserFields},
};
use crate::{
    docs::params::PageParams,
    error::ApiError,
    extract::{Admin, Body, Caller, Fields, ListPage, Query, number_in_path, text},
    routes::{Endpoint, to},
};

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new("GET", "/api/v1/users/", "list_users", || to(list)),
    Endpoint::new("POST", "/api/v1/users/", "create_user", || to(create)),
    Endpoint::new("GET", "/api/v1/users/current/", "get_current_user", || to(current)),
    Endpoint::new("GET", "/api/v1/users/{id}/", "get_user", || to(get)),
    Endpoint::new("PUT", "/api/v1/users/{id}/", "put_user", || to(put)),
    Endpoint::new("PATCH", "/api/v1/users/{id}/", "patch_user", || to(patch)),
    Endpoint::new("DELETE", "/api/v1/users/{id}/", "delete_user", || to(delete)),
    Endpoint::new("PATCH", "/api/v1/users/{id}/availability/", "patch_availability", || to(availability)),
];

/// Web Inboxes ask for all users at once.
const MAX_USERS: i64 = 5_000;

/// Whether a user takes chats.
#[derive(ToSchema)]
#[schema(example = json!({"is_available": false}))]
pub struct Availability {
    /// Whether it does.
    pub is_available: bool,
}

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

/// Creates a user; for admins. It is not active before somebody follows `activation_url`, which is shown here and never
/// again, within seven days.
#[utoipa::path(post, path = "/api/v1/users/", operation_id = "create_user", tag = "Users", request_body = NewUser,
    responses((status = 201, description = "The user, and what activates it.", body = CreatedUser)))]
pub async fn create(
    Admin(caller): Admin,
    state: State,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    let mut fields = body.read().await?;
    let read = (
        user_body::username(&mut fields),
        fields.blank_text("first_name", MAX_NAME),
        fields.blank_text("last_name", MAX_NAME),
        user_body::email(&mut fields),
        user_body::role(&mut fields),
    );
    let (username, first_name, last_name, email, role) = fields.finish(read)?;
    let [first_name, last_name, email] = [first_name, last_name, email].map(Option::unwrap_or_default);
    let new = InvitedUser { username, first_name, last_name, email, role: role.unwrap_or(Role::User) };
    let made = state.application.invite_user(&caller.context(), new).await.map_err(refused)?;
    let user = state.inbox.user(caller.tenant, made.user).await?.ok_or(ApiError::Unavailable)?;
    let links = Links::of(&request, &state, caller.tenant);
    Ok(super::created(&CreatedUser { user: User::new(&user, &links), activation_url: links.activation(&made.code) }))
}

/// The user that asks.
#[utoipa::path(get, path = "/api/v1/users/current/", operation_id = "get_current_user", tag = "Users",
    responses((status = 200, description = "The user.", body = User)))]
pub async fn current(caller: Caller, state: State, request: HttpRequest) -> HttpResponse {
    super::ok(&User::new(&caller.user, &Links::of(&request, &state, caller.tenant)))
}

/// A user; also one whose access has ended, since the histories name it.
#[utoipa::path(get, path = "/api/v1/users/{id}/", operation_id = "get_user", tag = "Users",
    params(("id" = i64, Path, description = "The user.")),
    responses((status = 200, description = "The user.", body = User)))]
pub async fn get(
    caller: Caller,
    state: State,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    show(&caller, &state, &request, UserId(number_in_path(&path)?)).await
}

/// Changes a user; for admins and the user itself, who may change its names and address but neither role nor groups nor
/// permissions. What is absent and not required stays.
#[utoipa::path(put, path = "/api/v1/users/{id}/", operation_id = "put_user", tag = "Users",
    params(("id" = i64, Path, description = "The user.")), request_body = UserFields,
    responses((status = 200, description = "The user from now on.", body = User)))]
pub async fn put(
    caller: Caller,
    state: State,
    request: HttpRequest,
    path: web::Path<String>,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    change(&caller, &state, &request, &path, body, &["username", "email", "groups", "permissions"]).await
}

/// The same with any of the fields.
#[utoipa::path(patch, path = "/api/v1/users/{id}/", operation_id = "patch_user", tag = "Users",
    params(("id" = i64, Path, description = "The user.")), request_body = UserFields,
    responses((status = 200, description = "The user from now on.", body = User)))]
pub async fn patch(
    caller: Caller,
    state: State,
    request: HttpRequest,
    path: web::Path<String>,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    change(&caller, &state, &request, &path, body, &[]).await
}

/// Ends a user's access, and takes its chats from it; for admins. The last active admin stays.
#[utoipa::path(delete, path = "/api/v1/users/{id}/", operation_id = "delete_user", tag = "Users",
    params(("id" = i64, Path, description = "The user.")),
    responses((status = 204, description = "Its access has ended.")))]
pub async fn delete(Admin(caller): Admin, state: State, path: web::Path<String>) -> Result<HttpResponse, ApiError> {
    let id = UserId(number_in_path(&path)?);
    state.application.deactivate_user(&caller.context(), id).await.map_err(refused)?;
    Ok(super::no_content())
}

/// Says whether a user takes chats; for admins and the user itself.
#[utoipa::path(patch, path = "/api/v1/users/{id}/availability/", operation_id = "patch_availability", tag = "Users",
    params(("id" = i64, Path, description = "The user.")), request_body = Availability,
    responses((status = 200, description = "Whether it does.", body = Availability)))]
pub async fn availability(
    caller: Caller,
    state: State,
    path: web::Path<String>,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    let id = own_or_admins(&caller, &path)?;
    let mut fields = body.read().await?;
    let read = (fields.boolean("is_available"),);
    let (is_available,) = fields.finish(read)?;
    state.application.change_availability(&caller.context(), id, is_available).await.map_err(refused)?;
    Ok(super::ok(&json!({"is_available": is_available})))
}

/// The user that a path names, where the caller may change it: nobody else learns whether there is one.
fn own_or_admins(caller: &Caller, path: &str) -> Result<UserId, ApiError> {
    match number_in_path(path).map(UserId) {
        Ok(id) if caller.actor.is_admin() || caller.actor.user == id => Ok(id),
        Err(error) if caller.actor.is_admin() => Err(error),
        _ => Err(ApiError::Forbidden),
    }
}

async fn change(
    caller: &Caller,
    state: &State,
    request: &HttpRequest,
    path: &str,
    body: Body,
    required: &[&str],
) -> Result<HttpResponse, ApiError> {
    let id = own_or_admins(caller, path)?;
    let mut fields = body.read().await?;
    for name in required.iter().filter(|name| **name != "username") {
        if !fields.has(name) {
            fields.refuse(name, text::REQUIRED);
        }
    }
    let is_whole = !required.is_empty();
    let wish = read(fields, is_whole)?;
    state.application.update_user(&caller.context(), id, &wish).await.map_err(refused)?;
    show(caller, state, request, id).await
}

fn read(mut fields: Fields, is_whole: bool) -> Result<UserChange, ApiError> {
    let has_name = is_whole || fields.has("username");
    let read = (
        if has_name { user_body::username(&mut fields).map(Some) } else { Some(None) },
        fields.blank_text("first_name", MAX_NAME),
        fields.blank_text("last_name", MAX_NAME),
        user_body::email(&mut fields),
        user_body::role(&mut fields),
        user_body::groups(&mut fields),
        user_body::permissions(&mut fields),
    );
    let (username, first_name, last_name, email, role, groups, permissions) = fields.finish(read)?;
    Ok(UserChange { username, first_name, last_name, email, role, groups, permissions })
}

async fn show(caller: &Caller, state: &State, request: &HttpRequest, id: UserId) -> Result<HttpResponse, ApiError> {
    let user = state.inbox.user(caller.tenant, id).await?.ok_or(ApiError::NotFound)?;
    Ok(super::ok(&User::new(&user, &Links::of(request, state, caller.tenant))))
}

fn refused(error: ApplicationError) -> ApiError {
    match error {
        ApplicationError::UnknownUser(_) => ApiError::NotFound,
        ApplicationError::UnknownGroup(group) => ApiError::invalid_pk("groups", group),
        ApplicationError::NameTaken => ApiError::field("username", "A user with that username already exists."),
        error => error.into(),
    }
}
