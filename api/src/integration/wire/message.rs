//! Messages as one user sees them.

use chatledger_projections::views::{ContextView, MessageView};
use serde::Serialize;
use utoipa::ToSchema;

use super::{AppliedTag, Links, Person, User, payload::Payload};

/// A message.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "id": "0190f3a2-5c1e-7b3a-9d10-3a5f2b9c7e11",
    "waba_payload": {
        "from": "351912000111", "id": "wamid.HBgMMzUxOTEyMDAwMTEx", "timestamp": "1767693600", "type": "text",
        "text": {"body": "Is my order ready?"}
    },
    "waba_statuses": {"sent": 0, "delivered": 0, "read": 0},
    "contact": {
        "wa_id": "351912000111", "waba_payload": {"profile": {"name": "Rui Costa"}, "wa_id": "351912000111"},
        "initials": "RC", "last_message_timestamp": 1767693600, "resolved": false,
        "messaging_window_expires_at": 1767780000
    },
    "from_us": false, "received": false, "sender": null, "context": null, "customer_wa_id": "351912000111",
    "tags": [], "chat_tags": [], "is_failed": false, "resend_payload": null
}))]
pub struct Message<'a> {
    /// Our id, stable from the moment of acceptance.
    pub id: String,
    /// WhatsApp's object; media have a `link` that needs no credential.
    #[schema(value_type = Object)]
    pub waba_payload: Payload<'a>,
    /// When each status was first reported.
    pub waba_statuses: WabaStatuses,
    /// The customer.
    pub contact: Person<'a>,
    /// Whether it came from this side.
    pub from_us: bool,
    /// Whether the caller has received it.
    pub received: bool,
    /// Who sent it; `null` for the customer's and those written in the phone app.
    pub sender: Option<User<'a>>,
    /// What it quotes: a message without its own `context`, else `{"id", "from"}`.
    #[schema(value_type = Option<Object>)]
    pub context: Option<Context<'a>>,
    /// The chat.
    pub customer_wa_id: &'a str,
    /// Its tags.
    pub tags: Vec<AppliedTag<'a>>,
    /// Its chat's tags.
    pub chat_tags: Vec<AppliedTag<'a>>,
    /// Whether it failed.
    pub is_failed: bool,
    /// Always `null`.
    #[schema(value_type = Option<Object>)]
    pub resend_payload: Option<()>,
}

/// When each status was first reported, POSIX seconds; 0 for never.
#[derive(Debug, Serialize, ToSchema)]
pub struct WabaStatuses {
    /// Left for the customer.
    pub sent: i64,
    /// Reached the phone.
    pub delivered: i64,
    /// Was read.
    pub read: i64,
}

/// What a message quotes.
#[derive(Serialize)]
#[serde(untagged)]
pub enum Context<'a> {
    /// A message that we hold, without its own context.
    Message(Box<Message<'a>>),
    /// One that we do not.
    Reference {
        /// Its id, as the quoting message names it.
        id: &'a str,
        /// Its writer.
        from: Option<&'a str>,
    },
}

impl<'a> Message<'a> {
    /// As the wire shows it.
    #[must_use]
    pub fn new(view: &'a MessageView, links: &'a Links<'a>) -> Self {
        let context = view.context.as_ref().map(|context| match context {
            ContextView::Message(quoted) => {
                Context::Message(Box::new(Self { context: None, ..Self::new(quoted, links) }))
            }
            ContextView::Reference { id, from } => Context::Reference { id, from: from.as_deref() },
        });
        Self {
            id: view.message_id.to_string(),
            waba_payload: Payload::new(view, links),
            waba_statuses: WabaStatuses { sent: view.sent, delivered: view.delivered, read: view.read },
            contact: Person::new(&view.person),
            from_us: view.from_us,
            received: view.received,
            sender: view.sender.as_deref().map(|user| User::new(user, links)),
            context,
            customer_wa_id: view.wa_id.as_str(),
            tags: AppliedTag::all(&view.tags),
            chat_tags: AppliedTag::all(&view.chat_tags),
            is_failed: view.is_failed,
            resend_payload: None,
        }
    }
}
