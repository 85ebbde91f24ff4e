//! `/api/v1/chat_tagging/`: tags on chats (R-TAG-*).

use actix_web::{HttpResponse, web};
use chatledger_application::ApplicationError;
use chatledger_domain::{TagId, TaggingId};
use utoipa::ToSchema;

use super::{State, wire::ChatTagging};
use crate::{
    error::ApiError,
    extract::{Body, Caller, number_in_path},
    routes::{Endpoint, to},
};

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new("POST", "/api/v1/chat_tagging/", "create_chat_tagging", || to(create)),
    Endpoint::new("GET", "/api/v1/chat_tagging/{id}/", "get_chat_tagging", || to(get)),
    Endpoint::new("DELETE", "/api/v1/chat_tagging/{id}/", "delete_chat_tagging", || to(delete)),
];

/// A tag for a chat.
#[derive(ToSchema)]
#[schema(example = json!({"tag": 5, "chat": "351912000111", "extra": {"source": "bot"}}))]
pub struct NewChatTagging {
    /// The tag.
    pub tag: i64,
    /// The chat.
    pub chat: String,
    /// What to keep with it; any object.
    #[schema(value_type = Option<Object>)]
    pub extra: Option<()>,
}

/// Tags a chat.
#[utoipa::path(post, path = "/api/v1/chat_tagging/", operation_id = "create_chat_tagging", tag = "Tagging",
    request_body = NewChatTagging,
    responses((status = 201, description = "The tagging.", body = ChatTagging)))]
pub async fn create(caller: Caller, state: State, body: Body) -> Result<HttpResponse, ApiError> {
    let mut fields = body.read().await?;
    let read = (fields.pk("tag"), fields.wa_id("chat"), fields.optional_object("extra"));
    let (tag, wa_id, extra) = fields.finish(read)?;
    let extra = extra.map(|(raw, _)| raw);
    let made = state.application.tag_chat(&caller.context(), &wa_id, TagId(tag), extra.clone()).await;
    let TaggingId(id) = made.map_err(|error| match error {
        ApplicationError::UnknownChat | ApplicationError::NotReadable => {
            ApiError::field("chat", format!("Object with wa_id={wa_id} does not exist."))
        }
        ApplicationError::AlreadyTagged => {
            ApiError::field("non_field_errors", "The fields chat, tag must make a unique set.")
        }
        error => error.into(),
    })?;
    Ok(super::created(&ChatTagging { id, tag, chat: wa_id.as_str(), extra: extra.as_ref() }))
}

/// A tagging of a chat.
#[utoipa::path(get, path = "/api/v1/chat_tagging/{id}/", operation_id = "get_chat_tagging", tag = "Tagging",
    params(("id" = i64, Path, description = "The tagging.")),
    responses((status = 200, description = "The tagging.", body = ChatTagging)))]
pub async fn get(caller: Caller, state: State, path: web::Path<String>) -> Result<HttpResponse, ApiError> {
    let id = TaggingId(number_in_path(&path)?);
    let tagging = state.inbox.chat_tagging(caller.tenant, &caller.actor, id).await?.ok_or(ApiError::NotFound)?;
    Ok(super::ok(&ChatTagging::new(&tagging)))
}

/// Takes a tag off a chat.
#[utoipa::path(delete, path = "/api/v1/chat_tagging/{id}/", operation_id = "delete_chat_tagging", tag = "Tagging",
    params(("id" = i64, Path, description = "The tagging.")),
    responses((status = 204, description = "Removed.")))]
pub async fn delete(caller: Caller, state: State, path: web::Path<String>) -> Result<HttpResponse, ApiError> {
    let id = TaggingId(number_in_path(&path)?);
    state.application.untag_chat(&caller.context(), id).await?;
    Ok(super::no_content())
}
