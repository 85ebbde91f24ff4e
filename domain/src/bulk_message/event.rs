//! What can have happened to a bulk message.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Fills;
use crate::{
    decider::Event,
    ids::{MessageId, TagId, UserId},
    raw_json::RawJson,
    wa_id::WaId,
};

/// A user wants a message sent to many.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BulkMessageCreated {
    /// Its id.
    pub id: Uuid,
    /// Who sends.
    pub sender: UserId,
    /// Everybody who gets one, each once: those named, then those of the tags' chats at that moment.
    pub recipients: Vec<WaId>,
    /// How many of them were named.
    pub named: usize,
    /// The tags whose chats get one.
    pub tags: Vec<TagId>,
    /// The type of message, as the client named it.
    #[serde(rename = "type")]
    pub kind: String,
    /// The object of the type.
    pub content: RawJson,
    /// The payload as the client gave it.
    pub payload: RawJson,
    /// What stands for `{{…}}` in the content, by recipient.
    #[serde(default, skip_serializing_if = "Fills::is_empty")]
    pub fills: Fills,
    /// POSIX seconds.
    pub timestamp: i64,
}

/// What became of one recipient's message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ElementOutcome {
    /// WhatsApp took it.
    Accepted {
        /// Our id.
        message_id: MessageId,
        /// WhatsApp's id.
        waba_id: String,
    },
    /// It is recorded and will be sent.
    Queued {
        /// Our id.
        message_id: MessageId,
    },
    /// WhatsApp refused it; it stays recorded as failed.
    Rejected {
        /// Our id.
        message_id: MessageId,
        /// WhatsApp's errors.
        errors: RawJson,
    },
    /// The sender may not write to the chat, or may not act any more; nothing is recorded in the chat.
    NotAllowed,
    /// The chat's 24-hour window is closed and this is no template; nothing is recorded in the chat.
    WindowClosed,
    /// What it says, with the recipient's values filled in, cannot be sent, or no number is connected.
    Invalid {
        /// Why, in one sentence.
        reason: String,
    },
}

/// One recipient is done with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BulkElementSettled {
    /// The bulk message.
    pub task: Uuid,
    /// The recipient.
    pub wa_id: WaId,
    /// What became of it.
    pub outcome: ElementOutcome,
    /// POSIX seconds.
    pub timestamp: i64,
}

/// A recipient was forgotten: what stood for `{{…}}` in its message is gone, and where it was the only one, all that
/// the message said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BulkRecipientErased {
    /// The bulk message.
    pub task: Uuid,
    /// The recipient.
    pub wa_id: WaId,
    /// POSIX seconds.
    pub timestamp: i64,
}

crate::events! {
    /// An event of a bulk message.
    BulkMessageEvent {
        /// Created.
        BulkMessageCreated = "BulkMessageCreated" v "1",
        /// A recipient is done with.
        BulkElementSettled = "BulkElementSettled" v "1",
        /// A recipient was forgotten.
        BulkRecipientErased = "BulkRecipientErased" v "1",
    }
}

/// The key of a recipient's outcome: there is one, whoever settles it.
#[must_use]
pub fn settled_key(task: Uuid, wa_id: &WaId) -> String {
    format!("bulk:{task}:{wa_id}")
}

impl Event for BulkMessageEvent {
    crate::stored_event!();

    fn idempotency_key(&self) -> Option<String> {
        match self {
            Self::BulkMessageCreated(_) | Self::BulkRecipientErased(_) => None,
            Self::BulkElementSettled(e) => Some(settled_key(e.task, &e.wa_id)),
        }
    }
}
