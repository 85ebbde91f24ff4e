//! `/api/v1/chats/`: the chats that the caller may read.

use actix_web::{HttpRequest, HttpResponse, web};
use chatledger_domain::TagId;
use chatledger_projections::views::ChatFilter;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    State,
    wire::{Chat, Links},
};
use crate::{
    docs::params::{ChatParams, PageParams},
    error::ApiError,
    extract::{Body, Caller, ListPage, Query, wa_id_in_path},
    routes::{Endpoint, to},
};

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new("GET", "/api/v1/chats/", "list_chats", || to(list)),
    Endpoint::new("GET", "/api/v1/chats/{wa_id}/", "get_chat", || to(get)),
    Endpoint::new("PATCH", "/api/v1/chats/{wa_id}/resolve/", "resolve_chat", || to(resolve)),
];

/// The chats, those whose customer wrote last first.
#[utoipa::path(get, path = "/api/v1/chats/", operation_id = "list_chats", tag = "Chats",
    params(PageParams, ChatParams),
    responses((status = 200, description = "Chats.", body = ListPage<Chat>)))]
pub async fn list(
    caller: Caller,
    state: State,
    request: HttpRequest,
    mut query: Query,
) -> Result<HttpResponse, ApiError> {
    let filter = ChatFilter {
        search: query.search(),
        assigned_to_me: query.boolean("assigned_to_me").unwrap_or(false),
        assigned_group: super::assigned_group(&mut query, &caller.actor),
        tag: query.integer("chat_tag_id").map(TagId),
        unread: query.boolean("unread"),
        messages_since: query.integer("messages_since_time"),
        messages_before: query.integer("messages_before_time"),
    };
    let part = query.page()?;
    let page = state.inbox.chats(caller.tenant, &caller.actor, &filter, part.request()).await?;
    let links = Links::of(&request, &state, caller.tenant);
    let chats = page.rows.iter().map(|chat| Chat::new(chat, &links)).collect();
    Ok(super::ok(&part.answer(&request, page.count, chats)))
}

/// A chat.
#[utoipa::path(get, path = "/api/v1/chats/{wa_id}/", operation_id = "get_chat", tag = "Chats",
    params(("wa_id" = String, Path, description = "The customer's WhatsApp id.")),
    responses((status = 200, description = "The chat.", body = Chat)))]
pub async fn get(
    caller: Caller,
    state: State,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let wa_id = wa_id_in_path(&path)?;
    let chat = state.inbox.chat(caller.tenant, &caller.actor, &wa_id).await?.ok_or(ApiError::NotFound)?;
    Ok(super::ok(&Chat::new(&chat, &Links::of(&request, &state, caller.tenant))))
}

/// Whether a chat is to be resolved.
#[derive(ToSchema)]
#[schema(example = json!({"resolved": true}))]
pub struct NewResolution {
    /// Whether it is.
    pub resolved: bool,
}

/// Whether a chat is resolved.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"wa_id": "351912000111", "resolved": true}))]
pub struct Resolution<'a> {
    /// The chat.
    pub wa_id: &'a str,
    /// Whether it is.
    pub resolved: bool,
}

/// Resolves a chat, or reopens it; for users that may write to it. The customer's next message reopens it as well.
#[utoipa::path(patch, path = "/api/v1/chats/{wa_id}/resolve/", operation_id = "resolve_chat", tag = "Chats",
    params(("wa_id" = String, Path, description = "The customer's WhatsApp id.")), request_body = NewResolution,
    responses((status = 200, description = "What it is from now on.", body = Resolution)))]
pub async fn resolve(
    caller: Caller,
    state: State,
    path: web::Path<String>,
    body: Body,
) -> Result<HttpResponse, ApiError> {
    let wa_id = wa_id_in_path(&path)?;
    let mut fields = body.read().await?;
    let read = (fields.boolean("resolved"),);
    let (resolved,) = fields.finish(read)?;
    state.application.resolve_chat(&caller.context(), &wa_id, resolved).await?;
    Ok(super::ok(&Resolution { wa_id: wa_id.as_str(), resolved }))
}
