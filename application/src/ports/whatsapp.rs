//! WhatsApp: what it is asked, and how its webhooks read once the envelope is off.

use std::time::Duration;

use async_trait::async_trait;
use chatledger_domain::{MessageId, RawJson, WaId, whatsapp_account::Number};

/// A message to be sent.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Our id; goes out as `biz_opaque_callback_data` together with the chat, see [`callback_data`].
    pub message_id: MessageId,
    /// To whom.
    pub wa_id: WaId,
    /// WhatsApp's id of the quoted message.
    pub context: Option<String>,
    /// `recipient_type`, `to`, `type` and the object of the type.
    pub message: RawJson,
}

/// What came of a call.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Taken.
    Accepted {
        /// WhatsApp's id.
        waba_id: String,
        /// The whole answer.
        response: RawJson,
    },
    /// Refused for good.
    Rejected {
        /// A list of objects with `code`, `title`, `details`.
        errors: RawJson,
    },
    /// Certainly not taken; may be tried again.
    Later {
        /// Not before.
        after: Option<Duration>,
        /// Why, for logs.
        reason: String,
    },
    /// Perhaps taken: the answer got lost. Must not be repeated.
    Unknown {
        /// Why, for logs.
        reason: String,
    },
}

/// The way to WhatsApp, one for all channels.
#[async_trait]
pub trait WhatsApp: Send + Sync {
    /// Sends a message. Never fails: every fault is an [`Outcome`].
    async fn send(&self, number: &Number, access_token: &str, letter: &Letter) -> Outcome;
}

/// What goes out as `biz_opaque_callback_data`, so that a status leads back to the message.
#[must_use]
pub fn callback_data(message: MessageId, wa_id: &WaId) -> String {
    format!("{message}:{wa_id}")
}

/// Reads [`callback_data`] back.
#[must_use]
pub fn read_callback_data(data: &str) -> Option<(MessageId, WaId)> {
    let (message, wa_id) = data.split_once(':')?;
    Some((message.parse().ok()?, WaId::parse(wa_id).ok()?))
}

/// A webhook call with the envelope off.
#[derive(Clone, Debug, Default)]
pub struct Call {
    /// What is to be recorded, in the order in which it came.
    pub items: Vec<Routed>,
    /// What cannot be read, each as a body of its own with its envelope, and why.
    pub unreadable: Vec<Unreadable>,
}

/// An element and the number it came for.
#[derive(Clone, Debug)]
pub struct Routed {
    /// WhatsApp's id of the number; `None` in the flat form, where the door tells the tenant.
    pub phone_number_id: Option<String>,
    /// The element.
    pub item: Item,
    /// A body that holds this element alone, for the quarantine; made only when needed.
    pub envelope: Envelope,
}

/// What is needed to make a body of one element again.
#[derive(Clone, Debug)]
pub enum Envelope {
    /// The flat form.
    Flat,
    /// The Cloud form: `entry[].id`, `field`, and the `metadata` object.
    Cloud {
        /// The WhatsApp business account's id.
        entry_id: String,
        /// The change's `field`.
        field: String,
        /// `value.metadata`, JSON text.
        metadata: String,
    },
}

/// Something that cannot be recorded as it came.
#[derive(Clone, Debug)]
pub struct Unreadable {
    /// WhatsApp's id of the number it came for, where the envelope tells.
    pub phone_number_id: Option<String>,
    /// Why.
    pub reason: String,
    /// A body that holds this element alone, in its envelope.
    pub body: Vec<u8>,
}

/// One element of a call.
#[derive(Clone, Debug)]
pub enum Item {
    /// A customer's message, with the contact object that came with it.
    Message(InboundMessage),
    /// The business wrote from the phone app.
    Echo(InboundEcho),
    /// A status.
    Status(InboundStatus),
    /// A template's status.
    TemplateStatus {
        /// The template's name.
        name: String,
        /// Its language.
        language: String,
        /// Lower-case status.
        status: String,
        /// WhatsApp's object.
        report: RawJson,
        /// sha256 of field, entry id and object, in hexadecimal digits.
        fingerprint: String,
    },
    /// Another notice about the account that is kept.
    Notice {
        /// WhatsApp's name of its kind.
        field: String,
        /// WhatsApp's object.
        report: RawJson,
        /// sha256 of field, entry id and object, in hexadecimal digits.
        fingerprint: String,
    },
}

/// A customer's message.
#[derive(Clone, Debug)]
pub struct InboundMessage {
    /// The customer: `from`, else the business-scoped `from_user_id`.
    pub wa_id: WaId,
    /// WhatsApp's id.
    pub waba_id: String,
    /// POSIX seconds.
    pub timestamp: i64,
    /// WhatsApp's type.
    pub kind: String,
    /// WhatsApp's id of the quoted message.
    pub context: Option<String>,
    /// Whether it has a `referral` from an ad.
    pub referral: bool,
    /// The object, unchanged.
    pub message: RawJson,
    /// The name in the contact object of this customer.
    pub name: Option<String>,
    /// The contact object of this customer, unchanged.
    pub contact: Option<RawJson>,
}

/// A message the business wrote from the phone app.
#[derive(Clone, Debug)]
pub struct InboundEcho {
    /// The customer: `to`, else `to_user_id`.
    pub wa_id: WaId,
    /// WhatsApp's id.
    pub waba_id: String,
    /// POSIX seconds.
    pub timestamp: i64,
    /// WhatsApp's type.
    pub kind: String,
    /// WhatsApp's id of the quoted message.
    pub context: Option<String>,
    /// The object, unchanged.
    pub message: RawJson,
}

/// What became of a message of ours.
#[derive(Clone, Debug)]
pub struct InboundStatus {
    /// The chat: from `biz_opaque_callback_data` where it is ours, else `recipient_id`, else `recipient_user_id`.
    pub wa_id: WaId,
    /// WhatsApp's id of the message.
    pub waba_id: String,
    /// Our id, from `biz_opaque_callback_data`.
    pub message_id: Option<MessageId>,
    /// The status.
    pub status: String,
    /// POSIX seconds.
    pub timestamp: i64,
    /// The object, unchanged.
    pub report: RawJson,
}

/// The body of a webhook is not a JSON object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotACall(pub String);

/// How WhatsApp's webhooks are checked and read.
pub trait Webhooks: Send + Sync {
    /// Whether the `X-Hub-Signature-256` header fits the body's bytes, compared in constant time (R-IN-1).
    fn is_signed(&self, signature: &str, body: &[u8]) -> bool;
    /// Whether this is the deployment's own verify token.
    fn is_verify_token(&self, token: &str) -> bool;
    /// Takes the envelope off.
    ///
    /// # Errors
    /// [`NotACall`] when the body is not a JSON object (R-IN-3).
    fn read(&self, body: &[u8]) -> Result<Call, NotACall>;
    /// A body that holds this item alone, in its envelope.
    fn envelope(&self, routed: &Routed) -> Vec<u8>;
}
