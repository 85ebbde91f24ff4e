//! `POST /api/v1/whatsapp/conversations/{id}/messages`: says something in a conversation (R-CNV-7 … R-CNV-9).

use actix_web::{HttpResponse, web};
use chatledger_application::chats::{SendMessage, SendingOutcome};
use chatledger_projections::conversations::ConversationStatus;

use super::{
    ServiceCaller, State,
    body::JsonBody,
    content,
    conversations::find,
    envelope::{self, Answer},
    error::ServiceError,
    times::iso,
    wire::Sent,
};
use crate::routes::{Endpoint, to};

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] =
    &[Endpoint::new("POST", "/api/v1/whatsapp/conversations/{id}/messages", "service_send_message", || to(send))];

/// Sends a message. Outside the 24-hour window only templates may be sent; one that is sent in a conversation that is
/// over opens another, whose id is told.
#[utoipa::path(post, path = "/api/v1/whatsapp/conversations/{id}/messages", operation_id = "service_send_message",
    tag = "Conversations", params(("id" = String, Path, description = "The conversation.")),
    request_body(content = Object, description = "`content`: its `type` (`text`, `image`, `video`, `audio`, `document`, \
            `sticker`, `interactive`, `template`, `location`) and the fields of the type.",
        example = json!({"content": {"type": "text", "text": "Your order is ready."}})),
    responses((status = 200, description = "WhatsApp took it (`sent`), or it will be sent (`queued`).", body = Answer<Sent>,
        example = json!({"success": true, "data": {"messageId": "0190f3a2-5c1e-7b3a-9d10-3a5f2b9c7e11",
            "whatsAppMessageId": "wamid.HBgMMzUxOTEyMDAwMTEx", "status": "sent", "timestamp": "2026-01-18T10:05:00Z"},
            "error": null, "pagination": null}))))]
pub async fn send(
    caller: ServiceCaller,
    state: State,
    id: web::Path<String>,
    body: JsonBody,
) -> Result<HttpResponse, ServiceError> {
    let (shop, view) = find(&caller, &state, &id).await?;
    let content = content::read(&body.read().await?, &view.wa_id)?;
    if view.status == ConversationStatus::Closed {
        return Err(ServiceError::conversation_closed());
    }
    let (wa_id, kind) = (view.wa_id.clone(), content.kind.to_owned());
    let message = content.message;
    let send = SendMessage { wa_id, kind, message, context: None, pending: None, conversation: Some(view.opened_by) };
    let sending = shop.act(&state, async |by| state.application.send_message(by, send.clone()).await).await?;
    let (status, waba_id) = match sending.outcome {
        SendingOutcome::Accepted { waba_id, .. } => ("sent", Some(waba_id)),
        SendingOutcome::Queued => ("queued", None),
        SendingOutcome::Rejected { errors } => return Err(ServiceError::provider(&errors)),
    };
    let message_id = sending.message_id.to_string();
    let recorded = state.inbox.message(shop.tenant, &shop.actor, &message_id).await?;
    let timestamp = iso(recorded.map_or_else(|| state.clock.now().timestamp(), |message| message.timestamp));
    let newest = state.inbox.newest_conversation(shop.tenant, &view.wa_id).await?;
    let conversation_id = newest.filter(|newest| *newest != view.id).map(|id| id.to_string());
    Ok(envelope::ok(Sent { message_id, whats_app_message_id: waba_id, status, timestamp, conversation_id }))
}
