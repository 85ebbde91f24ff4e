//! `/api/v1/message_tagging/`: tags on messages (R-TAG-*).

use actix_web::{HttpResponse, web};
use chatledger_application::ApplicationError;
use chatledger_domain::{TagId, TaggingId};
use utoipa::ToSchema;

use super::{State, wire::MessageTagging};
use crate::{
    error::ApiError,
    extract::{Body, Caller, number_in_path},
    routes::{Endpoint, to},
};

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new("POST", "/api/v1/message_tagging/", "create_message_tagging", || to(create)),
    Endpoint::new("GET", "/api/v1/message_tagging/{id}/", "get_message_tagging", || to(get)),
    Endpoint::new("DELETE", "/api/v1/message_tagging/{id}/", "delete_message_tagging", || to(delete)),
];

/// Longer ids are no message's, in characters.
const MAX_ID: usize = 1_000;

/// A tag for a message.
#[derive(ToSchema)]
#[schema(example = json!({"tag": 5, "message": "wamid.HBgMMzUxOTEyMDAwMTEx", "extra": null}))]
pub struct NewMessageTagging {
    /// The tag.
    pub tag: i64,
    /// The message, by our id or WhatsApp's.
    pub message: String,
    /// What to keep with it; any object.
    #[schema(value_type = Option<Object>)]
    pub extra: Option<()>,
}

/// Tags a message, and its chat with it.
#[utoipa::path(post, path = "/api/v1/message_tagging/", operation_id = "create_message_tagging", tag = "Tagging",
    request_body = NewMessageTagging,
    responses((status = 201, description = "The tagging.", body = MessageTagging)))]
pub async fn create(caller: Caller, state: State, body: Body) -> Result<HttpResponse, ApiError> {
    let mut fields = body.read().await?;
    let read = (fields.pk("tag"), fields.text("message", MAX_ID), fields.optional_object("extra"));
    let (tag, message, extra) = fields.finish(read)?;
    let extra = extra.map(|(raw, _)| raw);
    let made = state.application.tag_message(&caller.context(), &message, TagId(tag), extra.clone()).await;
    let id = made.map_err(|error| match error {
        ApplicationError::UnknownChat | ApplicationError::NotReadable => {
            ApiError::field("message", format!("Object with id={message} does not exist."))
        }
        ApplicationError::AlreadyTagged => {
            ApiError::field("non_field_errors", "The fields message, tag must make a unique set.")
        }
        error => error.into(),
    })?;
    let kept = state.inbox.message_tagging(caller.tenant, &caller.actor, id).await?;
    Ok(super::created(&match &kept {
        Some(view) => MessageTagging::new(view),
        None => MessageTagging { id: id.0, tag, message, extra: extra.as_ref() },
    }))
}

/// A tagging of a message.
#[utoipa::path(get, path = "/api/v1/message_tagging/{id}/", operation_id = "get_message_tagging", tag = "Tagging",
    params(("id" = i64, Path, description = "The tagging.")),
    responses((status = 200, description = "The tagging.", body = MessageTagging)))]
pub async fn get(caller: Caller, state: State, path: web::Path<String>) -> Result<HttpResponse, ApiError> {
    let id = TaggingId(number_in_path(&path)?);
    let tagging = state.inbox.message_tagging(caller.tenant, &caller.actor, id).await?.ok_or(ApiError::NotFound)?;
    Ok(super::ok(&MessageTagging::new(&tagging)))
}

/// Takes a tag off a message; its chat keeps it.
#[utoipa::path(delete, path = "/api/v1/message_tagging/{id}/", operation_id = "delete_message_tagging",
    tag = "Tagging", params(("id" = i64, Path, description = "The tagging.")),
    responses((status = 204, description = "Removed.")))]
pub async fn delete(caller: Caller, state: State, path: web::Path<String>) -> Result<HttpResponse, ApiError> {
    let id = TaggingId(number_in_path(&path)?);
    state.application.untag_message(&caller.context(), id).await?;
    Ok(super::no_content())
}
