//! `/api/v1/whatsapp/conversations`: the sessions within chats (R-CNV-*).

use actix_web::{HttpRequest, HttpResponse, web};
use chatledger_domain::{ConversationId, UserId};
use chatledger_projections::conversations::{
    ConversationDetailView, ConversationFilter, ConversationStatus, ConversationView,
};

use super::{
    Limit, ServiceCaller, Shop, State,
    body::JsonBody,
    envelope::{self, Answer},
    error::ServiceError,
    query::ServiceQuery,
    times::iso,
    wire::{Assigned, Closed, Conversation, ConversationDetail, Conversations},
};
use crate::{
    integration::wire::Links,
    routes::{Endpoint, to},
};

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new("GET", "/api/v1/whatsapp/conversations", "service_list_conversations", || to(list)),
    Endpoint::new("GET", "/api/v1/whatsapp/conversations/{id}", "service_get_conversation", || to(get)),
    Endpoint::new("POST", "/api/v1/whatsapp/conversations/{id}/assign", "service_assign_conversation", || to(assign)),
    Endpoint::new("POST", "/api/v1/whatsapp/conversations/{id}/close", "service_close_conversation", || to(close)),
];

const STATUSES: &[(&str, ConversationStatus)] = &[
    ("active", ConversationStatus::Active),
    ("closed", ConversationStatus::Closed),
    ("expired", ConversationStatus::Expired),
];

/// Lists conversations, the one with the newest message first. Agents see those whose chats they may read.
#[utoipa::path(get, path = "/api/v1/whatsapp/conversations", operation_id = "service_list_conversations",
    tag = "Conversations",
    params(("shopId" = Uuid, Query, description = "The shop."),
        ("status" = Option<String>, Query, description = "`active`, `closed` or `expired`."),
        ("assignedAgentId" = Option<String>, Query, description = "Who has the chat."),
        ("skip" = Option<i64>, Query, description = "So many are left out; 0 unless told."),
        ("take" = Option<i64>, Query, description = "At most so many, 1 to 100; 20 unless told.")),
    responses((status = 200, description = "Conversations.", body = Answer<Conversations>)))]
pub async fn list(caller: ServiceCaller, state: State, query: ServiceQuery) -> Result<HttpResponse, ServiceError> {
    let shop = caller.shop_of(&query, Limit::General).await?;
    let (part, status) = (query.page()?, query.choice("status", STATUSES)?);
    // An id that nobody has is nobody's conversation.
    let assigned_to = query.get("assignedAgentId").map(|id| UserId(id.parse().unwrap_or_default()));
    let filter = ConversationFilter { status, assigned_to };
    let now = state.clock.now().timestamp();
    let page = state.inbox.conversations(shop.tenant, &shop.actor, filter, part, now).await?;
    let conversations = page.rows.iter().map(|view| Conversation::new(&shop, view)).collect();
    Ok(envelope::list(Conversations { conversations, total_count: page.count }, part, page.count))
}

/// Gives a conversation with its newest 200 messages.
#[utoipa::path(get, path = "/api/v1/whatsapp/conversations/{id}", operation_id = "service_get_conversation",
    tag = "Conversations", params(("id" = String, Path, description = "The conversation.")),
    responses((status = 200, description = "The conversation.", body = Answer<ConversationDetail>)))]
pub async fn get(
    caller: ServiceCaller,
    state: State,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, ServiceError> {
    let (shop, id) = locate(&caller, &state, &id).await?;
    let now = state.clock.now().timestamp();
    let found = state.inbox.conversation(shop.tenant, &shop.actor, id, now).await?;
    let ConversationDetailView { conversation, messages, received_until } =
        found.ok_or_else(ServiceError::not_found)?;
    let links = Links::of(&request, &state, shop.tenant);
    let detail = ConversationDetail::new(&shop, &conversation, &messages, received_until, &links);
    Ok(envelope::ok(detail))
}

/// Assigns an active conversation's chat to an agent, or to nobody.
#[utoipa::path(post, path = "/api/v1/whatsapp/conversations/{id}/assign", operation_id = "service_assign_conversation",
    tag = "Conversations", params(("id" = String, Path, description = "The conversation.")),
    request_body(content = Object, description = "`agentId`: who gets it; `null`: nobody.",
        example = json!({"agentId": "7"})),
    responses((status = 200, description = "Assigned.", body = Answer<Assigned>)))]
pub async fn assign(
    caller: ServiceCaller,
    state: State,
    id: web::Path<String>,
    body: JsonBody,
) -> Result<HttpResponse, ServiceError> {
    let (shop, view) = find(&caller, &state, &id).await?;
    let fields = body.read().await?;
    if !fields.has("agentId") {
        return Err(ServiceError::required("agentId"));
    }
    let user = match fields.value("agentId") {
        Some(_) => Some(UserId(fields.text("agentId", 100)?.parse().unwrap_or_default())),
        None => None,
    };
    let (application, ConversationView { wa_id, opened_by, .. }) = (&state.application, &view);
    let at = shop.act(&state, async |by| application.assign_conversation(by, wa_id, *opened_by, user).await).await?;
    let (assigned_agent_id, assigned_at) = (user.map(|user| user.to_string()), iso(at.timestamp()));
    Ok(envelope::ok(Assigned { conversation_id: view.id.to_string(), assigned_agent_id, assigned_at }))
}

/// Closes an active conversation and resolves its chat.
#[utoipa::path(post, path = "/api/v1/whatsapp/conversations/{id}/close", operation_id = "service_close_conversation",
    tag = "Conversations", params(("id" = String, Path, description = "The conversation.")),
    responses((status = 200, description = "Closed.", body = Answer<Closed>),
        (status = 422, description = "It is closed already, or over.", body = Object)))]
pub async fn close(caller: ServiceCaller, state: State, id: web::Path<String>) -> Result<HttpResponse, ServiceError> {
    let (shop, view) = find(&caller, &state, &id).await?;
    let (application, ConversationView { wa_id, opened_by, .. }) = (&state.application, &view);
    let at = shop.act(&state, async |by| application.close_conversation(by, wa_id, *opened_by).await).await?;
    let closed_at = iso(at.timestamp());
    Ok(envelope::ok(Closed { conversation_id: view.id.to_string(), status: "closed", closed_at }))
}

/// A conversation that the caller may read, counted on its shop (R-LIM-5).
pub(super) async fn find(
    caller: &ServiceCaller,
    state: &State,
    id: &str,
) -> Result<(Shop, ConversationView), ServiceError> {
    let (shop, id) = locate(caller, state, id).await?;
    let now = state.clock.now().timestamp();
    let found = state.inbox.conversation_alone(shop.tenant, &shop.actor, id, now).await?;
    found.map(|view| (shop, view)).ok_or_else(ServiceError::not_found)
}

/// The shop of a conversation, counted there; of one that no shop of the caller has, counted on the token (R-LIM-5).
async fn locate(caller: &ServiceCaller, state: &State, id: &str) -> Result<(Shop, ConversationId), ServiceError> {
    if let Ok(id) = id.parse().map(ConversationId) {
        // The beginning of its id leads to nearly always one shop, or none.
        let shops = state.application.tenants_by_tag(&id.tag()).await?;
        for tenant in shops.into_iter().filter(|shop| caller.covers(*shop)) {
            if state.inbox.has_conversation(tenant, id).await? {
                return Ok((caller.shop(tenant, Limit::General).await?, id));
            }
        }
    }
    caller.count_by_token(Limit::General).await.and(Err(ServiceError::not_found()))
}
