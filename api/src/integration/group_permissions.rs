//! `/api/v1/settings/permissions/`: what the members of each group may do (R-PERM-4, R-PERM-12).

use actix_web::HttpResponse;
use chatledger_application::ApplicationError;
use chatledger_domain::{GroupId, PermissionsWish};
use chatledger_projections::views::PageRequest;
use serde_json::Value;

use super::{
    State, user_body,
    wire::{GroupPermissions, PermissionSettings},
};
use crate::{
    error::ApiError,
    extract::{Admin, Body, Caller, Fields, Valid, text},
    routes::{Endpoint, to},
};

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new("GET", "/api/v1/settings/permissions/", "get_permissions", || to(get)),
    Endpoint::new("PUT", "/api/v1/settings/permissions/", "put_permissions", || to(put)),
];

/// What the members of each group may do, where a user has no setting of its own; for admins.
#[utoipa::path(get, path = "/api/v1/settings/permissions/", operation_id = "get_permissions", tag = "Settings",
    responses((status = 200, description = "Every group, by id.", body = PermissionSettings)))]
pub async fn get(Admin(caller): Admin, state: State) -> Result<HttpResponse, ApiError> {
    show(&caller, &state).await
}

/// Sets what the members of some groups may do; for admins. Groups and permissions that are not named stay; admins
/// cannot be lowered.
#[utoipa::path(put, path = "/api/v1/settings/permissions/", operation_id = "put_permissions", tag = "Settings",
    request_body = PermissionSettings,
    responses((status = 200, description = "Every group, by id.", body = PermissionSettings)))]
pub async fn put(Admin(caller): Admin, state: State, body: Body) -> Result<HttpResponse, ApiError> {
    let mut fields = body.read().await?;
    let read = (wishes(&mut fields),);
    let (wishes,) = fields.finish(read)?;
    let set = state.application.set_group_permissions(&caller.context(), &wishes).await;
    set.map_err(|error| match error {
        ApplicationError::UnknownGroup(group) => ApiError::invalid_pk("groups", group),
        error => error.into(),
    })?;
    show(&caller, &state).await
}

async fn show(caller: &Caller, state: &State) -> Result<HttpResponse, ApiError> {
    let all = PageRequest { limit: i64::MAX, offset: 0 };
    let page = state.inbox.groups(caller.tenant, all).await?;
    Ok(super::ok(&PermissionSettings { groups: page.rows.iter().map(GroupPermissions::new).collect() }))
}

fn wishes(fields: &mut Fields) -> Valid<Vec<(GroupId, PermissionsWish)>> {
    let (_, given) = fields.json("groups")?;
    let Value::Array(items) = given else {
        fields.refuse("groups", text::not_a_list(&given));
        return None;
    };
    items.iter().map(|item| wish(fields, item)).collect()
}

fn wish(fields: &mut Fields, item: &Value) -> Valid<(GroupId, PermissionsWish)> {
    let id = user_body::group_id(fields, item)?;
    match item.get("permissions") {
        Some(given @ Value::Object(_)) => Some((id, user_body::permissions_in(fields, "groups.permissions", given)?)),
        Some(Value::Null) => refuse(fields, text::NULL.to_owned()),
        Some(other) => refuse(fields, text::not_an_object(other)),
        None => refuse(fields, text::REQUIRED.to_owned()),
    }
}

fn refuse<T>(fields: &mut Fields, message: String) -> Valid<T> {
    fields.refuse("groups.permissions", message);
    None
}
