//! `GET /api/v1/messages/`: the messages of the chats that the caller may read, newest first.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, http::Method, web};
use chatledger_domain::{TagId, WaId};
use chatledger_projections::views::{MessageFilter, MessageView};

use super::{
    State,
    wire::{Links, Message},
};
use crate::{
    docs::params::{MessageParams, PageParams},
    error::ApiError,
    extract::{Caller, ListPage, NamesNothing, Query},
    routes::{Endpoint, to},
};

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new("GET", "/api/v1/messages/", "list_messages", || to(list)),
    Endpoint::new("GET", "/api/v1/messages/{wa_id}/", "list_messages_of_chat", || to(list_of_chat)),
];

/// The messages.
#[utoipa::path(get, path = "/api/v1/messages/", operation_id = "list_messages", tag = "Messages",
    params(PageParams, MessageParams, ("wa_id" = Option<String>, Query, description = "Of this chat.")),
    responses((status = 200, description = "Messages.", body = ListPage<Message>)))]
pub async fn list(caller: Caller, state: State, request: HttpRequest, query: Query) -> Result<HttpResponse, ApiError> {
    let chat = query.wa_id().transpose();
    answer(&caller, &state, &request, query, chat).await
}

/// The messages of a chat: the same as with the parameter `wa_id`.
#[utoipa::path(get, path = "/api/v1/messages/{wa_id}/", operation_id = "list_messages_of_chat", tag = "Messages",
    params(PageParams, MessageParams, ("wa_id" = String, Path, description = "Of this chat.")),
    responses((status = 200, description = "Messages.", body = ListPage<Message>)))]
pub async fn list_of_chat(
    caller: Caller,
    state: State,
    request: HttpRequest,
    path: web::Path<String>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    let chat = WaId::parse(&path).map(Some).map_err(|_| NamesNothing);
    answer(&caller, &state, &request, query, chat).await
}

async fn answer(
    caller: &Caller,
    state: &State,
    request: &HttpRequest,
    mut query: Query,
    chat: Result<Option<WaId>, NamesNothing>,
) -> Result<HttpResponse, ApiError> {
    let mut filter = MessageFilter {
        wa_id: None,
        since: query.integer("since_time"),
        before: query.integer("before_time"),
        search: query.search(),
        assigned_to_me: query.boolean("assigned_to_me").unwrap_or(false),
        assigned_group: super::assigned_group(&mut query, &caller.actor),
        tag: query.integer("chat_tag_id").map(TagId),
        from_us: query.boolean("from_us"),
    };
    let marks = query.boolean("mark_as_received").unwrap_or(false) && request.method() == Method::GET;
    let part = query.page()?;
    let Ok(chat) = chat else { return Ok(super::ok(&part.nothing::<()>(request))) };
    filter.wa_id = chat;
    let page = state.inbox.messages(caller.tenant, &caller.actor, &filter, part.request()).await?;
    if marks {
        // The rows were read before, so they tell what was received before (R-MSG-4).
        state.application.mark_all_as_received(&caller.context(), newest_incoming(&page.rows)).await?;
    }
    let links = Links::of(request, state, caller.tenant);
    let messages = page.rows.iter().map(|message| Message::new(message, &links)).collect();
    Ok(super::ok(&part.answer(request, page.count, messages)))
}

/// For each chat in the answer, its newest incoming message there.
fn newest_incoming(rows: &[MessageView]) -> Vec<(WaId, i64)> {
    let mut newest = BTreeMap::new();
    for row in rows.iter().filter(|row| !row.from_us) {
        let mark = newest.entry(row.wa_id.clone()).or_insert(row.timestamp);
        *mark = row.timestamp.max(*mark);
    }
    newest.into_iter().collect()
}
