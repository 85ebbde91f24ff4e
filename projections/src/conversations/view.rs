//! Conversations as the Service API reads them.

use chatledger_domain::{ConversationId, MessageId, UserId, WaId};

use crate::views::MessageView;

/// Where a conversation is (R-CNV-3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConversationStatus {
    /// Neither closed nor over.
    Active,
    /// A user closed it.
    Closed,
    /// It is over because of the time.
    Expired,
}

/// A conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct ConversationView {
    /// Its id.
    pub id: ConversationId,
    /// The customer.
    pub wa_id: WaId,
    /// The customer's name; empty when nobody knows one.
    pub name: String,
    /// Where it is at the moment of the question.
    pub status: ConversationStatus,
    /// Who has the chat.
    pub assigned_to: Option<UserId>,
    /// The message that opened it.
    pub opened_by: MessageId,
    /// When that was, POSIX seconds.
    pub opened_at: i64,
    /// When it is over unless the customer writes, POSIX seconds.
    pub expires_at: i64,
    /// When a user closed it, POSIX seconds.
    pub closed_at: Option<i64>,
    /// Its newest message, POSIX seconds.
    pub last_message_at: i64,
    /// Its messages in both directions.
    pub message_count: i64,
    /// The chat's tags, in the order of tagging.
    pub tags: Vec<String>,
}

/// A conversation with its messages.
#[derive(Clone, Debug, PartialEq)]
pub struct ConversationDetailView {
    /// The conversation.
    pub conversation: ConversationView,
    /// Its newest messages, the oldest of them first.
    pub messages: Vec<MessageView>,
    /// Up to when somebody has received what the customer wrote, POSIX seconds.
    pub received_until: Option<i64>,
}

/// Which conversations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConversationFilter {
    /// Where they are.
    pub status: Option<ConversationStatus>,
    /// Who has their chats.
    pub assigned_to: Option<UserId>,
}
