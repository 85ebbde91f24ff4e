//! A delivery as it is worked on, and what the planner hands to the dispatcher.

use std::sync::Arc;

use chatledger_domain::WaId;
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Which delivery of a tenant: who is told, then the place of what is told. Deliveries are made in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Who is told: the position of the event that registered it.
    pub receiver: i64,
    /// The place of the push's first event …
    pub position: i64,
    /// … and its number there.
    pub part: i16,
    /// The number of the piece of a push that is too large for one body.
    pub piece: i16,
}

/// One push to one receiver, to be delivered.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Its place.
    pub key: Key,
    /// `webhook-id`, the same for every attempt.
    pub id: Uuid,
    /// The chats it is about; empty for what is about no chat.
    pub wa_ids: Vec<String>,
    /// What it says; `None` while it waits for the outcome of the message that it tells of.
    pub body_id: Option<Uuid>,
    /// The bytes, where they are at hand.
    pub body: Option<Arc<str>>,
    /// The attempts made since it was made, or replayed.
    pub attempts: u32,
    /// Not to be attempted before.
    pub not_before: DateTime<Utc>,
}

/// A delivery that waited for an outcome and need not any more: its row has the body and is due.
#[derive(Clone, Debug)]
pub struct Released {
    /// Which.
    pub key: Key,
    /// What it says.
    pub body_id: Uuid,
    /// The bytes.
    pub body: Arc<str>,
}

/// What the planner has stored, in the transaction that moved the cursor.
#[derive(Clone, Debug, Default)]
pub struct Planned {
    /// New deliveries, in the order of their keys for each receiver.
    pub deliveries: Vec<Delivery>,
    /// Earlier ones that may go now.
    pub released: Vec<Released>,
    /// Customers that were forgotten: what earlier deliveries say of them has changed.
    pub erased: Vec<WaId>,
    /// Whether the end of the ledger was reached.
    pub is_last: bool,
}

impl Planned {
    /// Whether there is nothing to be done about it.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.deliveries.is_empty() && self.released.is_empty() && self.erased.is_empty()
    }
}
