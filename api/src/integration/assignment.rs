//! `/api/v1/chat_assignment/{wa_id}/`: who a chat is assigned to (R-ASG-*).

use actix_web::{HttpResponse, web};
use chatledger_application::ApplicationError;
use chatledger_domain::{GroupId, UserId, WaId, chat::AssignmentChange};
use chatledger_projections::views::AssignmentView;
use utoipa::ToSchema;

use super::{State, wire::ChatAssignment};
use crate::{
    error::ApiError,
    extract::{Body, Caller, wa_id_in_path},
    routes::{Endpoint, to},
};

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new("GET", "/api/v1/chat_assignment/{wa_id}/", "get_chat_assignment", || to(get)),
    Endpoint::new("PUT", "/api/v1/chat_assignment/{wa_id}/", "put_chat_assignment", || to(put)),
    Endpoint::new("PATCH", "/api/v1/chat_assignment/{wa_id}/", "patch_chat_assignment", || to(patch)),
];

/// A wished assignment.
#[derive(ToSchema)]
#[schema(example = json!({"wa_id": "351912000111", "assigned_to_user": 7, "assigned_group": null}))]
pub struct WishedAssignment {
    /// The chat; must be the path's.
    pub wa_id: Option<String>,
    /// The user; `null` for nobody.
    pub assigned_to_user: Option<i64>,
    /// The group; `null` for none.
    pub assigned_group: Option<i64>,
}

/// Who a chat is assigned to.
#[utoipa::path(get, path = "/api/v1/chat_assignment/{wa_id}/", operation_id = "get_chat_assignment",
    tag = "Assignment", params(("wa_id" = String, Path, description = "The chat.")),
    responses((status = 200, description = "The assignment.", body = ChatAssignment)))]
pub async fn get(caller: Caller, state: State, path: web::Path<String>) -> Result<HttpResponse, ApiError> {
    let wa_id = wa_id_in_path(&path)?;
    let found = state.inbox.assignment(caller.tenant, &caller.actor, &wa_id).await?;
    match found.ok_or(ApiError::NotFound)? {
        (view, true) => Ok(super::ok(&ChatAssignment::new(&view))),
        (_, false) => Err(ApiError::Forbidden),
    }
}

/// Sets user and group; what is absent becomes nobody or none.
#[utoipa::path(put, path = "/api/v1/chat_assignment/{wa_id}/", operation_id = "put_chat_assignment",
    tag = "Assignment", params(("wa_id" = String, Path, description = "The chat.")), request_body = WishedAssignment,
    responses((status = 200, description = "The assignment from now on.", body = ChatAssignment)))]
pub async fn put(caller: Caller, state: State, path: web::Path<String>, body: Body) -> Result<HttpResponse, ApiError> {
    let (wa_id, wish) = read(&path, body).await?;
    let (user, group) = (wish.user.flatten(), wish.group.flatten());
    change(&caller, &state, wa_id, AssignmentChange { user: Some(user), group: Some(group) }).await
}

/// Sets user, group or both; what is absent stays.
#[utoipa::path(patch, path = "/api/v1/chat_assignment/{wa_id}/", operation_id = "patch_chat_assignment",
    tag = "Assignment", params(("wa_id" = String, Path, description = "The chat.")), request_body = WishedAssignment,
    responses((status = 200, description = "The assignment from now on.", body = ChatAssignment)))]
pub async fn patch(
    caller: Caller,
    state: State,
    path: web::Path<String>,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    let (wa_id, wish) = read(&path, body).await?;
    change(&caller, &state, wa_id, wish).await
}

async fn read(path: &str, body: Body) -> Result<(WaId, AssignmentChange), ApiError> {
    let wa_id = wa_id_in_path(path)?;
    let mut fields = body.read().await?;
    let named = if fields.has("wa_id") { fields.wa_id("wa_id").map(Some) } else { Some(None) };
    if let Some(Some(named)) = &named
        && *named != wa_id
    {
        fields.refuse("wa_id", "The chat in the body is not the chat in the path.");
    }
    let read = (named, fields.optional_pk("assigned_to_user"), fields.optional_pk("assigned_group"));
    let (_, user, group) = fields.finish(read)?;
    let user = user.map(|user| user.map(UserId));
    Ok((wa_id, AssignmentChange { user, group: group.map(|group| group.map(GroupId)) }))
}

async fn change(caller: &Caller, state: &State, wa_id: WaId, wish: AssignmentChange) -> Result<HttpResponse, ApiError> {
    state.application.assign_chat(&caller.context(), &wa_id, wish).await.map_err(|error| match error {
        // Somebody else kept being faster (R-CST-3).
        ApplicationError::Conflict => ApiError::AssignmentHeld,
        error => error.into(),
    })?;
    // The caller may have given the chat away and not be able to read it any more; the answer is still what it set.
    let view = match state.inbox.assignment(caller.tenant, &caller.actor, &wa_id).await? {
        Some((view, _)) => view,
        None => AssignmentView { wa_id, user: wish.user.flatten(), group: wish.group.flatten() },
    };
    Ok(super::ok(&ChatAssignment::new(&view)))
}
