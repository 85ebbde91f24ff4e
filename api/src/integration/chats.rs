//! `/api/v1/chats/`: the chats that the caller may read.

use actix_web::{HttpRequest, HttpResponse, web};
use chatledger_domain::TagId;
use chatledger_projections::views::ChatFilter;

use super::{
    State,
    wire::{Chat, Links},
};
use crate::{
    docs::params::{ChatParams, PageParams},
    error::ApiError,
    extract::{Caller, ListPage, Query, wa_id_in_path},
    routes::{Endpoint, to},
};

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new("GET", "/api/v1/chats/", "list_chats", || to(list)),
    Endpoint::new("GET", "/api/v1/chats/{wa_id}/", "get_chat", || to(get)),
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
