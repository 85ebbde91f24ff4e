//! What became of deliveries, and how people act on them (R-OUT-4).

use async_trait::async_trait;
use chatledger_domain::{RawJson, TenantId, WebhookId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Unavailable;

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// To be delivered.
    Pending,
    /// The receiver took it.
    Delivered,
    /// Given up; kept to be looked at and replayed.
    Dead,
}

impl DeliveryState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Pending, Self::Delivered, Self::Dead];

    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }

    /// The state of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// One call of a receiver.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Attempt {
    /// When it was made, POSIX seconds.
    pub at: i64,
    /// The status of the answer; `None` where there was none.
    pub status: Option<u16>,
    /// How long it took, in milliseconds.
    #[serde(rename = "ms")]
    pub duration_ms: i64,
    /// The first bytes of the answer.
    pub answer: Option<String>,
    /// Why there was no answer, or why it counts as a failure.
    pub error: Option<String>,
}

/// A delivery: one push to one receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryEntry {
    /// Its id: the header `webhook-id` of every attempt.
    pub id: Uuid,
    /// The webhook that is told.
    pub receiver: WebhookId,
    /// What became of it.
    pub state: DeliveryState,
    /// The keys of the body.
    pub keys: Vec<String>,
    /// The chats that it is about.
    pub wa_ids: Vec<String>,
    /// When it was made, POSIX seconds.
    pub created_at: i64,
    /// How many attempts there were since it was made, or replayed.
    pub attempts: i64,
    /// When the next attempt is due at the earliest, POSIX seconds; `None` where there is none.
    pub next_attempt_at: Option<i64>,
    /// The last attempt.
    pub last: Option<Attempt>,
}

/// A delivery with everything that is known of it.
#[derive(Clone, Debug)]
pub struct DeliveryDetail {
    /// As lists show it.
    pub entry: DeliveryEntry,
    /// What every attempt sends, byte for byte; `None` while it waits for the outcome of the message that it tells of.
    pub body: Option<RawJson>,
    /// The last attempts, oldest first, also those before a replay.
    pub log: Vec<Attempt>,
}

/// Which deliveries.
#[derive(Clone, Debug, Default)]
pub struct DeliveryFilter {
    /// In one of these states; empty for any.
    pub states: Vec<DeliveryState>,
    /// With one of these ids; empty for any.
    pub ids: Vec<Uuid>,
    /// About this chat.
    pub wa_id: Option<String>,
    /// Made at or after, POSIX seconds.
    pub since: Option<i64>,
    /// Made before, POSIX seconds.
    pub before: Option<i64>,
}

/// A part of a list of deliveries.
#[derive(Clone, Debug)]
pub struct DeliveryPage {
    /// All that match.
    pub count: i64,
    /// Those of the part.
    pub rows: Vec<DeliveryEntry>,
}

/// How the deliveries of a webhook are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeliveryCondition {
    /// How many are to be delivered.
    pub pending: i64,
    /// How many were given up.
    pub dead: i64,
    /// When the oldest that is to be delivered was made, POSIX seconds.
    pub oldest_pending_at: Option<i64>,
    /// Since when there have been failures and nothing else, POSIX seconds.
    pub failing_since: Option<i64>,
}

/// What happens to what was kept for a webhook that was not called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is delivered, and so is what was given up at or after this time, POSIX seconds.
    Deliver {
        /// Since when the webhook had only failed.
        dead_since: i64,
    },
    /// It is given up; it can be replayed later.
    GiveUp,
}

/// The deliveries as people see them. Every answer is about one tenant; whoever dispatches notices what changed within
/// seconds, on whichever server.
#[async_trait]
pub trait DeliveryLog: Send + Sync {
    /// A webhook's deliveries, the newest first.
    async fn list(
        &self,
        tenant: TenantId,
        receiver: WebhookId,
        filter: &DeliveryFilter,
        limit: i64,
        offset: i64,
    ) -> Result<DeliveryPage, Unavailable>;

    /// One of them, of one webhook or of any.
    async fn get(
        &self,
        tenant: TenantId,
        receiver: Option<WebhookId>,
        id: Uuid,
    ) -> Result<Option<DeliveryDetail>, Unavailable>;

    /// Makes deliveries that are done or given up pending again: the same ids, the same bytes, in the order of each
    /// chat, with all attempts of the schedule; how many.
    async fn replay(&self, tenant: TenantId, receiver: WebhookId, filter: &DeliveryFilter) -> Result<u64, Unavailable>;

    /// When the oldest delivery that is kept was made, POSIX seconds: what was delivered before is forgotten.
    async fn oldest(&self, tenant: TenantId, receiver: WebhookId) -> Result<Option<i64>, Unavailable>;

    /// How the deliveries of some webhooks are, in their order.
    async fn conditions(
        &self,
        tenant: TenantId,
        receivers: &[WebhookId],
    ) -> Result<Vec<DeliveryCondition>, Unavailable>;

    /// Does as told with what was kept, and forgets that the webhook was failing.
    async fn resume(&self, tenant: TenantId, receiver: WebhookId, kept: Kept) -> Result<(), Unavailable>;

    /// Forgets that a webhook was failing.
    async fn forget_failures(&self, tenant: TenantId, receiver: WebhookId) -> Result<(), Unavailable>;

    /// Forgets what is done and given up for a webhook that is deleted; what is pending is nobody's any more, and
    /// whoever dispatches forgets it.
    async fn forget(&self, tenant: TenantId, receiver: WebhookId) -> Result<(), Unavailable>;

    /// Forgets that a webhook was failing, and that its next attempts were put off: it has another address.
    async fn begin_anew(&self, tenant: TenantId, receiver: WebhookId) -> Result<(), Unavailable>;
}
