//! `/api/v1/saved_responses/`: texts that all users of the inbox share (R-SAV-1).

use actix_web::{HttpRequest, HttpResponse, web};
use chatledger_projections::views::SavedResponseView;
use serde::Serialize;
use utoipa::ToSchema;

use super::State;
use crate::{
    docs::params::{PageParams, TextParams},
    error::ApiError,
    extract::{Body, Caller, ListPage, Query, number_in_path},
    routes::{Endpoint, to},
};

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new("GET", "/api/v1/saved_responses/", "list_saved_responses", || to(list)),
    Endpoint::new("POST", "/api/v1/saved_responses/", "create_saved_response", || to(create)),
    Endpoint::new("DELETE", "/api/v1/saved_responses/{id}/", "delete_saved_response", || to(delete)),
];

/// The longest text, in characters: what WhatsApp takes as one message.
const MAX_TEXT: usize = 4_096;

/// A saved response.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "id": 12, "text": "Thanks, we will look into it.", "created_by": "ines", "timestamp": 1767600000
}))]
pub struct SavedResponse<'a> {
    /// Its id.
    pub id: i64,
    /// Its text.
    pub text: &'a str,
    /// The present username of the user that saved it.
    pub created_by: &'a str,
    /// When, POSIX seconds.
    pub timestamp: i64,
}

impl<'a> SavedResponse<'a> {
    fn new(view: &'a SavedResponseView) -> Self {
        Self { id: view.id, text: &view.text, created_by: &view.created_by, timestamp: view.timestamp }
    }
}

/// A response to be saved.
#[derive(ToSchema)]
#[schema(example = json!({"text": "Thanks, we will look into it."}))]
pub struct NewSavedResponse {
    /// At most 4096 characters.
    pub text: String,
}

/// The saved responses, newest first.
#[utoipa::path(get, path = "/api/v1/saved_responses/", operation_id = "list_saved_responses", tag = "Saved responses",
    params(PageParams, TextParams),
    responses((status = 200, description = "Saved responses.", body = ListPage<SavedResponse>)))]
pub async fn list(
    caller: Caller,
    state: State,
    request: HttpRequest,
    mut query: Query,
) -> Result<HttpResponse, ApiError> {
    let search = query.part_of_text("text");
    let part = query.page()?;
    let page = state.inbox.saved_responses(caller.tenant, search.as_deref(), part.request()).await?;
    let responses = page.rows.iter().map(SavedResponse::new).collect();
    Ok(super::ok(&part.answer(&request, page.count, responses)))
}

/// Saves a response for all users.
#[utoipa::path(post, path = "/api/v1/saved_responses/", operation_id = "create_saved_response", tag = "Saved responses",
    request_body = NewSavedResponse,
    responses((status = 201, description = "The saved response.", body = SavedResponse)))]
pub async fn create(caller: Caller, state: State, body: Body) -> Result<HttpResponse, ApiError> {
    let mut fields = body.read().await?;
    let read = (fields.text("text", MAX_TEXT),);
    let (text,) = fields.finish(read)?;
    let (id, timestamp) = state.application.create_saved_response(&caller.context(), text.clone()).await?;
    Ok(super::created(&SavedResponse { id, text: &text, created_by: &caller.user.username, timestamp }))
}

/// Deletes a saved response, whoever saved it.
#[utoipa::path(delete, path = "/api/v1/saved_responses/{id}/", operation_id = "delete_saved_response",
    tag = "Saved responses", params(("id" = i64, Path, description = "The saved response.")),
    responses((status = 204, description = "Deleted.")))]
pub async fn delete(caller: Caller, state: State, path: web::Path<String>) -> Result<HttpResponse, ApiError> {
    let id = number_in_path(&path)?;
    state.application.delete_saved_response(&caller.context(), id).await?;
    Ok(super::no_content())
}
