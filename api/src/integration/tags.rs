//! `/api/v1/tags/`: the tags of the inbox (R-TAG-9).

use actix_web::{HttpRequest, HttpResponse, web};
use chatledger_application::ApplicationError;
use chatledger_domain::TagId;
use utoipa::ToSchema;

use super::{State, wire::Tag};
use crate::{
    docs::params::PageParams,
    error::ApiError,
    extract::{Admin, Body, Caller, ListPage, Query, number_in_path},
    routes::{Endpoint, to},
};

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new("GET", "/api/v1/tags/", "list_tags", || to(list)),
    Endpoint::new("POST", "/api/v1/tags/", "create_tag", || to(create)),
    Endpoint::new("PATCH", "/api/v1/tags/{id}/", "patch_tag", || to(patch)),
    Endpoint::new("DELETE", "/api/v1/tags/{id}/", "delete_tag", || to(delete)),
];

/// The longest name or colour, in characters.
const MAX_LEN: usize = 1_000;

/// A tag to be.
#[derive(ToSchema)]
#[schema(example = json!({"name": "Agent needed", "web_inbox_color": "#d32f2f"}))]
pub struct NewTag {
    /// Its name, unique without regard to case; at most 1000 characters.
    pub name: String,
    /// Its colour in the Web Inbox; at most 1000 characters.
    pub web_inbox_color: Option<String>,
}

/// The tags, by id.
#[utoipa::path(get, path = "/api/v1/tags/", operation_id = "list_tags", tag = "Tags", params(PageParams),
    responses((status = 200, description = "Tags.", body = ListPage<Tag>)))]
pub async fn list(caller: Caller, state: State, request: HttpRequest, query: Query) -> Result<HttpResponse, ApiError> {
    let part = query.page()?;
    let page = state.inbox.tags(caller.tenant, part.request()).await?;
    let tags = page.rows.iter().map(Tag::new).collect();
    Ok(super::ok(&part.answer(&request, page.count, tags)))
}

/// Creates a tag; for users that may use tags.
#[utoipa::path(post, path = "/api/v1/tags/", operation_id = "create_tag", tag = "Tags", request_body = NewTag,
    responses((status = 201, description = "The tag.", body = Tag)))]
pub async fn create(caller: Caller, state: State, body: Body) -> Result<HttpResponse, ApiError> {
    let mut fields = body.read().await?;
    let read = (fields.text("name", MAX_LEN), fields.optional_text("web_inbox_color", MAX_LEN));
    let (name, color) = fields.finish(read)?;
    let made = state.application.create_tag(&caller.context(), name.clone(), color.clone()).await;
    let TagId(id) = made.map_err(refused)?;
    Ok(super::created(&Tag { id, name: &name, web_inbox_color: color.as_deref() }))
}

/// Changes a tag's name, colour or both; for admins.
#[utoipa::path(patch, path = "/api/v1/tags/{id}/", operation_id = "patch_tag", tag = "Tags",
    params(("id" = i64, Path, description = "The tag.")), request_body = NewTag,
    responses((status = 200, description = "The tag from now on.", body = Tag)))]
pub async fn patch(
    Admin(caller): Admin,
    state: State,
    path: web::Path<String>,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    let id = TagId(number_in_path(&path)?);
    let mut fields = body.read().await?;
    let name = if fields.has("name") { fields.text("name", MAX_LEN).map(Some) } else { Some(None) };
    let color = fields.optional_text("web_inbox_color", MAX_LEN);
    let has_color = fields.has("web_inbox_color");
    let (name, color) = fields.finish((name, color))?;
    let changed = state.application.change_tag(&caller.context(), id, name, has_color.then_some(color)).await;
    changed.map_err(refused)?;
    let tag = state.inbox.tag(caller.tenant, id).await?.ok_or(ApiError::NotFound)?;
    Ok(super::ok(&Tag::new(&tag)))
}

/// Deletes a tag and all its taggings; for admins.
#[utoipa::path(delete, path = "/api/v1/tags/{id}/", operation_id = "delete_tag", tag = "Tags",
    params(("id" = i64, Path, description = "The tag.")),
    responses((status = 204, description = "Deleted.")))]
pub async fn delete(Admin(caller): Admin, state: State, path: web::Path<String>) -> Result<HttpResponse, ApiError> {
    let id = TagId(number_in_path(&path)?);
    state.application.delete_tag(&caller.context(), id).await.map_err(refused)?;
    Ok(super::no_content())
}

fn refused(error: ApplicationError) -> ApiError {
    match error {
        ApplicationError::UnknownTag(_) => ApiError::NotFound,
        ApplicationError::NameTaken => ApiError::field("name", "A tag with that name already exists."),
        error => error.into(),
    }
}
