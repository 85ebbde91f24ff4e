//! Conversations and their messages as the Service API shows them.

use chatledger_projections::{
    conversations::{ConversationStatus, ConversationView},
    views::MessageView,
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{Shop, content, times::iso};
use crate::integration::wire::Links;

fn word(status: ConversationStatus) -> &'static str {
    match status {
        ConversationStatus::Active => "active",
        ConversationStatus::Closed => "closed",
        ConversationStatus::Expired => "expired",
    }
}

/// A conversation in a list.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ServiceConversation)]
pub struct Conversation<'a> {
    /// Its id, opaque.
    pub id: String,
    /// The shop.
    pub shop_id: String,
    /// The customer.
    pub customer_wa_id: &'a str,
    /// The customer's name; empty where nobody knows one.
    pub customer_name: &'a str,
    /// `active`, `closed` or `expired`.
    pub status: &'static str,
    /// Who has the chat.
    pub assigned_agent_id: Option<String>,
    /// Its newest message in either direction.
    pub last_message_at: String,
    /// Its messages in both directions.
    pub message_count: i64,
    /// The chat's tags, in the order of tagging.
    pub tags: &'a [String],
    /// When it was opened.
    pub created_at: String,
}

impl<'a> Conversation<'a> {
    /// As this shop shows it.
    #[must_use]
    pub fn new(shop: &Shop, view: &'a ConversationView) -> Self {
        Self {
            id: view.id.to_string(),
            shop_id: shop.tenant.to_string(),
            customer_wa_id: view.wa_id.as_str(),
            customer_name: &view.name,
            status: word(view.status),
            assigned_agent_id: view.assigned_to.map(|user| user.to_string()),
            last_message_at: iso(view.last_message_at),
            message_count: view.message_count,
            tags: &view.tags,
            created_at: iso(view.opened_at),
        }
    }
}

/// A part of the list.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ServiceConversations)]
pub struct Conversations<'a> {
    /// The conversations.
    pub conversations: Vec<Conversation<'a>>,
    /// All that match.
    pub total_count: i64,
}

/// The customer of a conversation.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ServiceConversationCustomer)]
pub struct ConversationCustomer<'a> {
    /// Its WhatsApp id.
    pub wa_id: &'a str,
    /// Its name; empty where nobody knows one.
    pub name: &'a str,
    /// The chat's tags, in the order of tagging.
    pub tags: &'a [String],
}

/// A conversation with its messages.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ServiceConversationDetail)]
pub struct ConversationDetail<'a> {
    /// Its id, opaque.
    pub id: String,
    /// The shop.
    pub shop_id: String,
    /// The customer.
    pub customer: ConversationCustomer<'a>,
    /// `active`, `closed` or `expired`.
    pub status: &'static str,
    /// The newest 200, the oldest of them first.
    pub messages: Vec<Message<'a>>,
    /// When it was opened.
    pub created_at: String,
    /// When it is over unless the customer writes.
    pub expires_at: String,
}

impl<'a> ConversationDetail<'a> {
    /// As this shop shows it.
    #[must_use]
    pub fn new(
        shop: &Shop,
        view: &'a ConversationView,
        messages: &'a [MessageView],
        received_until: Option<i64>,
        links: &Links<'_>,
    ) -> Self {
        Self {
            id: view.id.to_string(),
            shop_id: shop.tenant.to_string(),
            customer: ConversationCustomer { wa_id: view.wa_id.as_str(), name: &view.name, tags: &view.tags },
            status: word(view.status),
            messages: messages.iter().map(|message| Message::new(message, received_until, links)).collect(),
            created_at: iso(view.opened_at),
            expires_at: iso(view.expires_at),
        }
    }
}

/// A message of a conversation.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ServiceMessage)]
pub struct Message<'a> {
    /// Our id.
    pub id: String,
    /// WhatsApp's id, once it has one.
    pub whats_app_message_id: Option<&'a str>,
    /// `inbound` or `outbound`.
    pub direction: &'static str,
    /// What it says: its `type` and the fields of the type.
    #[schema(value_type = Object)]
    pub content: Value,
    /// `queued`, `sent`, `delivered`, `read`, `failed`; of the customer's `received`, `read` once somebody has it marked.
    pub status: &'static str,
    /// When it was written.
    pub timestamp: String,
}

impl<'a> Message<'a> {
    fn new(view: &'a MessageView, received_until: Option<i64>, links: &Links<'_>) -> Self {
        let status = match view {
            view if !view.from_us => {
                if received_until.is_some_and(|until| view.timestamp <= until) {
                    "read"
                } else {
                    "received"
                }
            }
            view if view.is_failed => "failed",
            view if view.read > 0 => "read",
            view if view.delivered > 0 => "delivered",
            view if view.sent > 0 || view.waba_id.is_some() => "sent",
            _ => "queued",
        };
        Self {
            id: view.message_id.to_string(),
            whats_app_message_id: view.waba_id.as_deref(),
            direction: if view.from_us { "outbound" } else { "inbound" },
            content: content::shown(view, links),
            status,
            timestamp: iso(view.timestamp),
        }
    }
}

/// A message that was sent.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ServiceSent)]
pub struct Sent {
    /// Our id.
    pub message_id: String,
    /// WhatsApp's id, once it has one.
    pub whats_app_message_id: Option<String>,
    /// `sent` or `queued`.
    pub status: &'static str,
    /// When it was sent.
    pub timestamp: String,
    /// The conversation it is in, where that is another than the one that was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<String>,
}

/// An assignment.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ServiceAssigned)]
pub struct Assigned {
    /// The conversation.
    pub conversation_id: String,
    /// Who has it now.
    pub assigned_agent_id: Option<String>,
    /// Since when.
    pub assigned_at: String,
}

/// A conversation that was closed.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ServiceClosed)]
pub struct Closed {
    /// The conversation.
    pub conversation_id: String,
    /// `closed`.
    pub status: &'static str,
    /// When.
    pub closed_at: String,
}
