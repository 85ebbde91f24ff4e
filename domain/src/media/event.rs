//! What can have happened to a medium.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    decider::Event,
    ids::{BlobId, MessageId, UserId},
};

/// A file is kept. Recorded only once its bytes are durable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MediaStored {
    /// What it is, as found in its bytes.
    pub mime_type: String,
    /// Bytes.
    pub size: u64,
    /// Of the bytes, in hexadecimal digits.
    pub sha256: String,
    /// The name that its sender gave it, without folders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    /// Where its bytes are.
    pub blob: BlobId,
    /// Where it comes from.
    pub origin: MediaOrigin,
}

/// Where a file comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum MediaOrigin {
    /// A user uploaded it.
    Upload {
        /// The user.
        by: UserId,
    },
    /// It came in a message.
    Message {
        /// The chat.
        wa_id: String,
        /// The message that was first to bring it.
        message_id: MessageId,
        /// WhatsApp's id of the file.
        waba_id: String,
    },
}

/// A file of a message cannot be had from WhatsApp, and never will.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MediaFetchFailed {
    /// WhatsApp's id of the file.
    pub waba_id: String,
    /// Why, for people.
    pub reason: String,
}

/// A file was forgotten with its customer. Its bytes are removed, and it is never fetched or stored again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MediaErased {
    /// POSIX seconds.
    pub timestamp: i64,
}

crate::events! {
    /// An event of a medium.
    MediaEvent {
        /// Kept.
        MediaStored = "MediaStored" v "1",
        /// Never to be had.
        MediaFetchFailed = "MediaFetchFailed" v "1",
        /// Forgotten.
        MediaErased = "MediaErased" v "1",
    }
}

impl Event for MediaEvent {
    crate::stored_event!();
}
