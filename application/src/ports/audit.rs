//! The ledger as auditors read it: every column of every event, also of those that this program cannot read.

use std::collections::BTreeSet;

use async_trait::async_trait;
use chatledger_domain::{Position, TagId, TenantId, UserId, WaId};
use chrono::{DateTime, Utc};

use super::Unavailable;

/// An event as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its place in the ledger.
    pub position: Position,
    /// The aggregate's type.
    pub aggregate_type: String,
    /// The aggregate's id.
    pub aggregate_id: String,
    /// Its number in the stream.
    pub sequence: i64,
    /// The stored name.
    pub event_type: String,
    /// The stored version.
    pub event_version: String,
    /// The payload, JSON.
    pub payload: String,
    /// What was recorded beside it, JSON.
    pub metadata: String,
    /// The key under which it can be recorded only once.
    pub idempotency_key: Option<String>,
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
    /// When it was written.
    pub recorded_at: DateTime<Utc>,
    /// sha256 of the payload as it was written, hexadecimal.
    pub payload_hash: String,
    /// The event's hash, hexadecimal.
    pub hash: String,
    /// When its content was erased.
    pub erased_at: Option<DateTime<Utc>>,
}

/// Whose history is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A chat: its own events, and those of its customer as a contact.
    Chat(WaId),
    /// A user: what it did, what was done to it, what it was given.
    User {
        /// The user.
        id: UserId,
        /// The stream of its own events.
        stream: String,
    },
    /// A tag: its own events, and every tagging with it.
    Tag {
        /// The tag.
        id: TagId,
        /// The stream of its own events.
        stream: String,
    },
}

/// A part of the ledger: the positions after the first, up to and including the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Beyond this.
    pub after: Position,
    /// Up to and including this.
    pub through: Position,
}

/// Events of a subject, and how far the ledger was looked through for them.
#[derive(Clone, Debug)]
pub struct Found {
    /// In order of position.
    pub events: Vec<StoredEvent>,
    /// Of a user: the assignments among them that took a chat from it, which their own payload does not tell.
    pub taken: BTreeSet<Position>,
    /// Everything of the subject up to here is in here, or was before.
    pub seen: Position,
}

/// What has a name that changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NameKind {
    /// Users.
    User,
    /// Groups.
    Group,
    /// Tags.
    Tag,
}

/// Reads a tenant's ledger for auditors. Each call is bounded in time and memory, however long the ledger.
#[async_trait]
pub trait AuditTrail: Send + Sync {
    /// Events of a subject within a span, of these stored names where any are given, at most `limit`. A call looks
    /// through a part of the span at most: there is more to come until [`Found::seen`] is its end.
    ///
    /// May bring events that only look as if they were the subject's; the caller looks closer.
    async fn events(
        &self,
        tenant: TenantId,
        subject: &Subject,
        span: Span,
        kinds: &[String],
        limit: i64,
    ) -> Result<Found, Unavailable>;

    /// The events that gave these users, groups or tags a name, in order. `ids` as on the wire.
    async fn names(&self, tenant: TenantId, kind: NameKind, ids: &[i64]) -> Result<Vec<StoredEvent>, Unavailable>;

    /// The same of all there ever were.
    async fn all_names(&self, tenant: TenantId, kind: NameKind) -> Result<Vec<StoredEvent>, Unavailable>;

    /// The newest position that was recorded at or before a moment; 0 where there is none.
    async fn position_at(&self, tenant: TenantId, moment: DateTime<Utc>) -> Result<Position, Unavailable>;

    /// When a position was recorded.
    async fn recorded_at(&self, tenant: TenantId, position: Position) -> Result<Option<DateTime<Utc>>, Unavailable>;
}
