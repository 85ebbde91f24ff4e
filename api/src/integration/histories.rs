//! The three histories: who assigned and tagged what, newest first.

use actix_web::{HttpRequest, HttpResponse};
use chatledger_projections::views::HistoryFilter;

use super::{
    State,
    wire::{ChatAssignmentEvent, ChatTaggingEvent, Links, MessageTaggingEvent},
};
use crate::{
    docs::params::{HistoryParams, PageParams},
    error::ApiError,
    extract::{Caller, ListPage, NamesNothing, Pagination, Query},
    routes::{Endpoint, to},
};

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new("GET", "/api/v1/chat_assignment_events/", "list_chat_assignment_events", || to(chat_assignments)),
    Endpoint::new("GET", "/api/v1/chat_tagging_events/", "list_chat_tagging_events", || to(chat_taggings)),
    Endpoint::new("GET", "/api/v1/message_tagging_events/", "list_message_tagging_events", || to(message_taggings)),
];

/// The changes of assignment of the chats that the caller may read.
#[utoipa::path(get, path = "/api/v1/chat_assignment_events/", operation_id = "list_chat_assignment_events",
    tag = "Assignment", params(PageParams, HistoryParams),
    responses((status = 200, description = "Changes.", body = ListPage<ChatAssignmentEvent>)))]
pub async fn chat_assignments(
    caller: Caller,
    state: State,
    request: HttpRequest,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    let (part, filter) = read(query)?;
    let Ok(filter) = filter else { return Ok(super::ok(&part.nothing::<()>(&request))) };
    let page = state.inbox.assignment_events(caller.tenant, &caller.actor, &filter, part.request()).await?;
    let links = Links::of(&request, &state, caller.tenant);
    let events = page.rows.iter().map(|event| ChatAssignmentEvent::new(event, &links)).collect();
    Ok(super::ok(&part.answer(&request, page.count, events)))
}

/// The tags put on chats and taken off.
#[utoipa::path(get, path = "/api/v1/chat_tagging_events/", operation_id = "list_chat_tagging_events",
    tag = "Tagging", params(PageParams, HistoryParams),
    responses((status = 200, description = "Changes.", body = ListPage<ChatTaggingEvent>)))]
pub async fn chat_taggings(
    caller: Caller,
    state: State,
    request: HttpRequest,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    let (part, filter) = read(query)?;
    let Ok(filter) = filter else { return Ok(super::ok(&part.nothing::<()>(&request))) };
    let page = state.inbox.chat_tagging_events(caller.tenant, &caller.actor, &filter, part.request()).await?;
    let links = Links::of(&request, &state, caller.tenant);
    let events = page.rows.iter().map(|event| ChatTaggingEvent::new(event, &links)).collect();
    Ok(super::ok(&part.answer(&request, page.count, events)))
}

/// The tags put on messages and taken off.
#[utoipa::path(get, path = "/api/v1/message_tagging_events/", operation_id = "list_message_tagging_events",
    tag = "Tagging", params(PageParams, HistoryParams,
    ("message_id" = Option<String>, Query, description = "Of this message: our id or WhatsApp's.")),
    responses((status = 200, description = "Changes.", body = ListPage<MessageTaggingEvent>)))]
pub async fn message_taggings(
    caller: Caller,
    state: State,
    request: HttpRequest,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    let message = query.get("message_id").map(str::to_owned);
    let (part, filter) = read(query)?;
    // No id holds a null character, and the database would not take one.
    let is_id = !message.as_ref().is_some_and(|id| id.contains('\0'));
    let Some(filter) = filter.ok().filter(|_| is_id) else { return Ok(super::ok(&part.nothing::<()>(&request))) };
    let filter = HistoryFilter { message, ..filter };
    let page = state.inbox.message_tagging_events(caller.tenant, &caller.actor, &filter, part.request()).await?;
    let links = Links::of(&request, &state, caller.tenant);
    let events = page.rows.iter().map(|event| MessageTaggingEvent::new(event, &links)).collect();
    Ok(super::ok(&part.answer(&request, page.count, events)))
}

fn read(mut query: Query) -> Result<(Pagination, Result<HistoryFilter, NamesNothing>), ApiError> {
    let (since, before) = (query.integer("since_time"), query.integer("before_time"));
    let chat = query.wa_id().transpose();
    let filter = chat.map(|wa_id| HistoryFilter { wa_id, message: None, since, before });
    Ok((query.page()?, filter))
}
