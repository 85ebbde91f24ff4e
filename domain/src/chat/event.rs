//! What can have happened in a chat.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    decider::{Claim, Event},
    ids::{GroupId, MessageId, TagId, TaggingId, UserId},
    raw_json::RawJson,
};

/// The customer wrote.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MessageReceived {
    /// Our id.
    pub message_id: MessageId,
    /// WhatsApp's id.
    pub waba_id: String,
    /// When it was written, POSIX seconds.
    pub timestamp: i64,
    /// When it reached us, POSIX seconds.
    pub received_at: i64,
    /// WhatsApp's type of message.
    #[serde(rename = "type")]
    pub kind: String,
    /// WhatsApp's id of the quoted message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// Whether it came by an ad's referral.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub referral: bool,
    /// Whether it opens the chat again that a user had resolved (R-CHAT-7).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reopens: bool,
    /// WhatsApp's message object, unchanged.
    pub message: RawJson,
}

/// A user or program of this inbox wrote; the message waits for WhatsApp.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MessageQueued {
    /// Our id.
    pub message_id: MessageId,
    /// POSIX seconds.
    pub timestamp: i64,
    /// The type of message, as it is sent.
    #[serde(rename = "type")]
    pub kind: String,
    /// Who wrote it.
    pub sender: UserId,
    /// The id of the quoted message, as the sender named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// The message as WhatsApp is asked to send it: `recipient_type`, `to`, `type` and the object of the type.
    pub message: RawJson,
    /// What the customer reads, where the message itself does not say it: a template with its parameters in place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rendered: Option<String>,
    /// Whether it is a template that was sent while the window was closed: its customer counts towards what WhatsApp
    /// lets the number send on a day (R-ACC-4).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub outside_window: bool,
}

/// WhatsApp took a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MessageAccepted {
    /// Our id.
    pub message_id: MessageId,
    /// WhatsApp's id.
    pub waba_id: String,
    /// WhatsApp's answer; absent when a status told us instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<RawJson>,
}

/// WhatsApp refused a message for good.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MessageRejected {
    /// Our id.
    pub message_id: MessageId,
    /// WhatsApp's errors: a list of objects with `code`, `title`, `details`.
    pub errors: RawJson,
}

/// WhatsApp was called and the answer got lost; a status will settle it. The call is never repeated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MessageOutcomeUnknown {
    /// Our id.
    pub message_id: MessageId,
}

/// WhatsApp reported what became of a message of ours.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MessageStatusReported {
    /// WhatsApp's id of the message.
    pub waba_id: String,
    /// Our id, when the status carried it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<MessageId>,
    /// `sent`, `delivered`, `read`, `failed` or whatever WhatsApp says.
    pub status: String,
    /// POSIX seconds.
    pub timestamp: i64,
    /// WhatsApp's status object, unchanged.
    pub report: RawJson,
}

/// The business wrote from the phone app.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MessageEchoed {
    /// Our id.
    pub message_id: MessageId,
    /// WhatsApp's id.
    pub waba_id: String,
    /// POSIX seconds.
    pub timestamp: i64,
    /// WhatsApp's type of message.
    #[serde(rename = "type")]
    pub kind: String,
    /// WhatsApp's id of the quoted message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// WhatsApp's message object, unchanged.
    pub message: RawJson,
}

/// A tag as it was when something was tagged with it (R-TAG-6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TagAsItWas {
    /// The tag.
    pub id: TagId,
    /// Its name then.
    pub name: String,
    /// Its colour then.
    pub web_inbox_color: Option<String>,
}

/// A message was tagged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MessageTagged {
    /// The message, by our id.
    pub message_id: MessageId,
    /// The message, by WhatsApp's id, where it has one.
    pub waba_id: Option<String>,
    /// The tag.
    pub tag: TagAsItWas,
    /// What the caller wants kept with it.
    pub extra: Option<RawJson>,
    /// Who did it; `None` for the system.
    pub done_by: Option<UserId>,
    /// POSIX seconds.
    pub timestamp: i64,
}

/// A message's tagging was removed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MessageUntagged {
    /// The tagging that ended.
    pub tagging_id: TaggingId,
    /// The message, by our id.
    pub message_id: MessageId,
    /// The message, by WhatsApp's id, where it has one.
    pub waba_id: Option<String>,
    /// The tag.
    pub tag: TagAsItWas,
    /// What was kept with it.
    pub extra: Option<RawJson>,
    /// Who did it; `None` for the system.
    pub done_by: Option<UserId>,
    /// POSIX seconds.
    pub timestamp: i64,
}

/// The chat was tagged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChatTagged {
    /// The tag.
    pub tag: TagAsItWas,
    /// What the caller wants kept with it.
    pub extra: Option<RawJson>,
    /// Who did it; `None` for the system.
    pub done_by: Option<UserId>,
    /// POSIX seconds.
    pub timestamp: i64,
}

/// The chat's tagging was removed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChatUntagged {
    /// The tagging that ended.
    pub tagging_id: TaggingId,
    /// The tag.
    pub tag: TagAsItWas,
    /// What was kept with it.
    pub extra: Option<RawJson>,
    /// Who did it; `None` for the system.
    pub done_by: Option<UserId>,
    /// POSIX seconds.
    pub timestamp: i64,
}

/// The chat's assignment changed; one event carries user and group (R-ASG-9).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChatAssigned {
    /// The user set; `None` when the user did not change or was cleared.
    pub user_set: Option<UserId>,
    /// The user became nobody.
    pub user_cleared: bool,
    /// The group set; `None` when the group did not change or was cleared.
    pub group_set: Option<GroupId>,
    /// The group became none.
    pub group_cleared: bool,
    /// Who did it; `None` for the rule engine or the system.
    pub done_by: Option<UserId>,
    /// POSIX seconds.
    pub timestamp: i64,
    /// The message that the rule engine based it on, by our id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub based_on: Option<MessageId>,
    /// What the rule engine decided on: the position of the event that triggered it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<i64>,
}

/// A user's received mark of this chat moved up (R-RCV-1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MessagesMarkedAsReceived {
    /// Whose mark.
    pub user: UserId,
    /// Incoming messages up to and including this POSIX second are received.
    pub timestamp: i64,
}

/// Users' programs took messages of this chat: their received marks moved up (R-IWH-10).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MessagesDelivered {
    /// Whose marks, by id.
    pub to: Vec<UserId>,
    /// Incoming messages up to and including this POSIX second are received.
    pub timestamp: i64,
}

/// A user said that the chat is resolved. The next message of the customer reopens it, without an event of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChatResolved {
    /// Who.
    pub done_by: UserId,
    /// POSIX seconds.
    pub timestamp: i64,
}

/// A user said that the chat is not resolved after all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChatReopened {
    /// Who.
    pub done_by: UserId,
    /// POSIX seconds.
    pub timestamp: i64,
}

/// A user closed the newest conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConversationClosed {
    /// The message that had opened it.
    pub opened_by: MessageId,
    /// Who.
    pub done_by: UserId,
    /// POSIX seconds.
    pub timestamp: i64,
}

/// The customer was forgotten: what was said and kept in this chat up to here is blanked. Its contact's
/// [`ContactErased`](crate::contact::ContactErased) comes with it and says who did it and why readers drop the content;
/// this one makes whoever decides on older knowledge decide again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChatErased {
    /// POSIX seconds.
    pub timestamp: i64,
}

crate::events! {
    /// An event of a chat.
    ChatEvent {
        /// The customer wrote.
        MessageReceived = "MessageReceived" v "1",
        /// We wrote; the message waits.
        MessageQueued = "MessageQueued" v "1",
        /// WhatsApp took it.
        MessageAccepted = "MessageAccepted" v "1",
        /// WhatsApp refused it.
        MessageRejected = "MessageRejected" v "1",
        /// WhatsApp's answer got lost.
        MessageOutcomeUnknown = "MessageOutcomeUnknown" v "1",
        /// WhatsApp reported on a message.
        MessageStatusReported = "MessageStatusReported" v "1",
        /// The business wrote from the phone app.
        MessageEchoed = "MessageEchoed" v "1",
        /// A message was tagged.
        MessageTagged = "MessageTagged" v "1",
        /// A message's tagging was removed.
        MessageUntagged = "MessageUntagged" v "1",
        /// The chat was tagged.
        ChatTagged = "ChatTagged" v "1",
        /// The chat's tagging was removed.
        ChatUntagged = "ChatUntagged" v "1",
        /// The assignment changed.
        ChatAssigned = "ChatAssigned" v "1",
        /// A received mark moved.
        MessagesMarkedAsReceived = "MessagesMarkedAsReceived" v "1",
        /// Received marks moved by deliveries.
        MessagesDelivered = "MessagesDelivered" v "1",
        /// It is resolved.
        ChatResolved = "ChatResolved" v "1",
        /// It is not resolved after all.
        ChatReopened = "ChatReopened" v "1",
        /// Its newest conversation was closed.
        ConversationClosed = "ConversationClosed" v "1",
        /// What was said in it is forgotten.
        ChatErased = "ChatErased" v "1",
    }
}

/// The key of a message that WhatsApp brought (R-IN-5).
#[must_use]
pub fn message_key(waba_id: &str) -> String {
    format!("message:{waba_id}")
}

/// The key of a message that we send.
#[must_use]
pub fn queued_key(message: MessageId) -> String {
    format!("queued:{message}")
}

/// The key of WhatsApp's acceptance of a message.
#[must_use]
pub fn accepted_key(message: MessageId) -> String {
    format!("accepted:{message}")
}

/// The key of a status (R-IN-5).
#[must_use]
pub fn status_key(waba_id: &str, status: &str, timestamp: i64) -> String {
    format!("status:{waba_id}:{status}:{timestamp}")
}

impl Event for ChatEvent {
    crate::stored_event!();

    fn idempotency_key(&self) -> Option<String> {
        match self {
            Self::MessageReceived(e) => Some(message_key(&e.waba_id)),
            Self::MessageEchoed(e) => Some(message_key(&e.waba_id)),
            Self::MessageQueued(e) => Some(queued_key(e.message_id)),
            Self::MessageAccepted(e) => Some(accepted_key(e.message_id)),
            Self::MessageStatusReported(e) => Some(status_key(&e.waba_id, &e.status, e.timestamp)),
            Self::MessageUntagged(e) => Some(format!("untagged:{}", e.tagging_id)),
            Self::ChatUntagged(e) => Some(format!("untagged:{}", e.tagging_id)),
            _ => None,
        }
    }

    /// One assignment per trigger and chat, however often the rule engine's decision is carried out.
    fn key_in_stream(&self) -> Option<String> {
        match self {
            Self::ChatAssigned(e) => e.trigger.map(|trigger| format!("rule:{trigger}")),
            _ => None,
        }
    }

    fn claims(&self) -> Vec<Claim> {
        let pair = |message: MessageId, tag: TagId| format!("message_tagging:{message}:{tag}");
        match self {
            Self::MessageTagged(e) => vec![Claim::Take(pair(e.message_id, e.tag.id))],
            Self::MessageUntagged(e) => vec![Claim::Release(pair(e.message_id, e.tag.id))],
            _ => Vec::new(),
        }
    }
}
