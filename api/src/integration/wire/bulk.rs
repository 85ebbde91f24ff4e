//! Bulk messages, and what became of each recipient's.

use chatledger_domain::{RawJson, bulk_message::ElementOutcome};
use chatledger_projections::views::{BulkElementView, BulkMessageView};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{Links, User};
use crate::error::ApiError;

/// A named recipient.
#[derive(Debug, Serialize, ToSchema)]
pub struct BulkRecipient<'a> {
    /// Its WhatsApp id.
    pub recipient: &'a str,
}

/// A tag whose chats are recipients.
#[derive(Debug, Serialize, ToSchema)]
pub struct BulkTag {
    /// The tag.
    pub tag_id: i64,
}

/// A bulk message.
#[derive(Serialize, ToSchema)]
pub struct BulkMessageTask<'a> {
    /// Its id.
    pub id: String,
    /// Those who were named.
    pub recipients: Vec<BulkRecipient<'a>>,
    /// The tags whose chats are recipients too.
    pub tags: Vec<BulkTag>,
    /// The type of message.
    pub r#type: &'a str,
    /// The message.
    #[schema(value_type = Object)]
    pub payload: &'a RawJson,
    /// Who sends it.
    pub sender: Option<User<'a>>,
    /// How many recipients there are.
    pub total: i64,
    /// Of how many the outcome is known.
    pub done: i64,
    /// When it was created, POSIX seconds.
    pub timestamp: i64,
}

impl<'a> BulkMessageTask<'a> {
    /// As the wire shows it.
    #[must_use]
    pub fn new(view: &'a BulkMessageView, links: &'a Links<'a>) -> Self {
        Self {
            id: view.id.to_string(),
            recipients: view.recipients.iter().map(|recipient| BulkRecipient { recipient }).collect(),
            tags: view.tags.iter().map(|tag| BulkTag { tag_id: tag.0 }).collect(),
            r#type: &view.kind,
            payload: &view.payload,
            sender: view.sender.as_deref().map(|user| User::new(user, links)),
            total: view.total,
            done: view.done,
            timestamp: view.timestamp,
        }
    }
}

/// What became of one recipient's message.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "id": 1204, "task": "0190f3a2-5c1e-7b3a-9d10-3a5f2b9c7e11", "wa_id": "351912000111",
    "response": {"detail": "You do not have permission to perform this action."}, "status_code": 403,
    "timestamp": 1767693600
}))]
pub struct BulkMessageElement<'a> {
    /// Its id.
    pub id: i64,
    /// The bulk message.
    pub task: String,
    /// The recipient.
    pub wa_id: &'a str,
    /// The body that sending the message alone would have been answered with.
    #[schema(value_type = Object)]
    pub response: RawJson,
    /// The status that sending the message alone would have been answered with.
    pub status_code: u16,
    /// When it was known, POSIX seconds.
    pub timestamp: i64,
}

impl<'a> BulkMessageElement<'a> {
    /// As the wire shows it.
    #[must_use]
    pub fn new(view: &'a BulkElementView) -> Self {
        let wa_id = view.wa_id.as_str();
        let (status_code, response) = answer(&view.outcome, wa_id);
        let BulkElementView { id, task, timestamp, .. } = view;
        Self { id: *id, task: task.to_string(), wa_id, response, status_code, timestamp: *timestamp }
    }
}

/// What `POST /messages/` would have answered.
fn answer(outcome: &ElementOutcome, wa_id: &str) -> (u16, RawJson) {
    let told = |status, body| (status, RawJson::from(&body));
    match outcome {
        ElementOutcome::Accepted { message_id, waba_id } => {
            let contacts = json!([{"input": wa_id, "wa_id": wa_id}]);
            let response =
                json!({"messaging_product": "whatsapp", "contacts": contacts, "messages": [{"id": waba_id}]});
            told(201, json!({"id": message_id.to_string(), "waba_response": response}))
        }
        ElementOutcome::Queued { message_id } => {
            told(202, json!({"id": message_id.to_string(), "reason": "Message accepted and queued."}))
        }
        ElementOutcome::Rejected { errors, .. } => ApiError::Provider(errors.clone()).as_told(),
        ElementOutcome::NotAllowed => ApiError::Forbidden.as_told(),
        ElementOutcome::WindowClosed => ApiError::WindowClosed.as_told(),
        ElementOutcome::Invalid { reason } => ApiError::Reason(reason.clone()).as_told(),
    }
}
