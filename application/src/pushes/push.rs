//! One thing to be told.

use chatledger_domain::{Assignment, Position, TenantId};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::ports::ledger::Recorded;

/// What kind of thing it is; what exactly, the events of the push say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum News {
    /// WhatsApp called: `MessageReceived`, `MessageStatusReported` and errors, in WhatsApp's order (R-IWH-1).
    Call,
    /// A message of this side: one `MessageQueued`, or one `MessageEchoed`.
    Outgoing,
    /// One `ChatAssigned`.
    Assigned,
    /// One `MessageTagged` or `MessageUntagged`.
    MessageTagging,
    /// One `ChatTagged` or `ChatUntagged`.
    ChatTagging,
    /// A chat was resolved or is not any more: one `ChatResolved` or `ChatReopened`, or the `MessageReceived` that
    /// reopened it.
    Resolved(bool),
    /// One `UserAvailabilityChanged`.
    Availability,
    /// One event of a bulk message.
    Bulk,
}

/// A chat that a push is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushedChat {
    /// Its customer.
    pub wa_id: String,
    /// Who had it right before.
    pub before: Assignment,
    /// Who had it right after.
    pub after: Assignment,
}

/// What is told in one body.
#[derive(Clone, Debug)]
pub struct Push {
    /// The same on every server and in every replay.
    pub id: Uuid,
    /// The inbox.
    pub tenant: TenantId,
    /// The place of its first event: pushes are told in this order.
    pub position: Position,
    /// Its number among the pushes of the same first event.
    pub part: i16,
    /// The place of its last event: whoever renders it waits for the read models to be there.
    pub last: Position,
    /// What kind.
    pub news: News,
    /// Its chats, each once, in the order of its events; none for what is about no chat.
    pub chats: Vec<PushedChat>,
    /// What was recorded; at least one event.
    pub events: Vec<Recorded>,
}

impl Push {
    /// When it was written.
    #[must_use]
    pub fn recorded_at(&self) -> DateTime<Utc> {
        self.events.first().map(|event| event.recorded_at).unwrap_or_default()
    }

    /// One of its chats.
    #[must_use]
    pub fn chat(&self, wa_id: &str) -> Option<&PushedChat> {
        self.chats.iter().find(|chat| chat.wa_id == wa_id)
    }
}
