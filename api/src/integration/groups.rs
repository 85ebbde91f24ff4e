//! `/api/v1/groups/`: the groups of users.

use actix_web::{HttpRequest, HttpResponse, web};
use chatledger_application::ApplicationError;
use chatledger_domain::{GroupId, Permissions};
use utoipa::ToSchema;

use super::{
    State,
    user_body::{self, MAX_NAME},
    wire::{Group, UserPermissions},
};
use crate::{
    docs::params::PageParams,
    error::ApiError,
    extract::{Admin, Body, Caller, ListPage, Query, number_in_path},
    routes::{Endpoint, to},
};

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new("GET", "/api/v1/groups/", "list_groups", || to(list)),
    Endpoint::new("POST", "/api/v1/groups/", "create_group", || to(create)),
    Endpoint::new("PATCH", "/api/v1/groups/{id}/", "patch_group", || to(patch)),
    Endpoint::new("DELETE", "/api/v1/groups/{id}/", "delete_group", || to(delete)),
];

/// A group to be.
#[derive(ToSchema)]
#[schema(example = json!({"name": "Billing",
    "permissions": {"can_use_tags": true, "can_read_chats": "group", "can_write_to_chats": "group"}}))]
pub struct NewGroup {
    /// Its name, unique without regard to case; at most 150 characters.
    pub name: String,
    /// What its members may do; what is absent is not allowed by it.
    pub permissions: Option<UserPermissions>,
}

/// The groups, by id.
#[utoipa::path(get, path = "/api/v1/groups/", operation_id = "list_groups", tag = "Users", params(PageParams),
    responses((status = 200, description = "Groups.", body = ListPage<Group>)))]
pub async fn list(caller: Caller, state: State, request: HttpRequest, query: Query) -> Result<HttpResponse, ApiError> {
    let part = query.page()?;
    let page = state.inbox.groups(caller.tenant, part.request()).await?;
    let groups = page.rows.iter().map(Group::new).collect();
    Ok(super::ok(&part.answer(&request, page.count, groups)))
}

/// Creates a group; for admins.
#[utoipa::path(post, path = "/api/v1/groups/", operation_id = "create_group", tag = "Users", request_body = NewGroup,
    responses((status = 201, description = "The group.", body = Group)))]
pub async fn create(Admin(caller): Admin, state: State, body: Body) -> Result<HttpResponse, ApiError> {
    let mut fields = body.read().await?;
    let read = (fields.text("name", MAX_NAME), user_body::permissions(&mut fields));
    let (name, permissions) = fields.finish(read)?;
    let permissions = permissions.of(Permissions::default());
    let made = state.application.create_group(&caller.context(), &name, permissions).await;
    let GroupId(id) = made.map_err(refused)?;
    Ok(super::created(&Group { id, name: &name }))
}

/// Changes a group's name, what its members may do, or both; for admins. The three built-in groups stay as they are.
#[utoipa::path(patch, path = "/api/v1/groups/{id}/", operation_id = "patch_group", tag = "Users",
    params(("id" = i64, Path, description = "The group.")), request_body = NewGroup,
    responses((status = 200, description = "The group from now on.", body = Group)))]
pub async fn patch(
    Admin(caller): Admin,
    state: State,
    path: web::Path<String>,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    let id = GroupId(number_in_path(&path)?);
    let mut fields = body.read().await?;
    let name = if fields.has("name") { fields.text("name", MAX_NAME).map(Some) } else { Some(None) };
    let read = (name, user_body::permissions(&mut fields));
    let (name, permissions) = fields.finish(read)?;
    let changed = state.application.change_group(&caller.context(), id, name.as_deref(), permissions).await;
    changed.map_err(refused)?;
    let group = state.inbox.group(caller.tenant, id).await?.ok_or(ApiError::NotFound)?;
    Ok(super::ok(&Group::new(&group)))
}

/// Deletes a group, which its members leave and its chats are taken from; for admins. The built-in groups stay.
#[utoipa::path(delete, path = "/api/v1/groups/{id}/", operation_id = "delete_group", tag = "Users",
    params(("id" = i64, Path, description = "The group.")),
    responses((status = 204, description = "Deleted.")))]
pub async fn delete(Admin(caller): Admin, state: State, path: web::Path<String>) -> Result<HttpResponse, ApiError> {
    let id = GroupId(number_in_path(&path)?);
    state.application.delete_group(&caller.context(), id).await.map_err(refused)?;
    Ok(super::no_content())
}

fn refused(error: ApplicationError) -> ApiError {
    match error {
        ApplicationError::UnknownGroup(_) => ApiError::NotFound,
        ApplicationError::NameTaken => ApiError::field("name", "A group with that name already exists."),
        error => error.into(),
    }
}
