//! The ledger as the application sees it: append, load, read, all by tenant.
//!
//! What must hold for every implementation: positions are gapless per tenant and in the order of commits; a unit is
//! written whole or not at all; an idempotency key is recorded once, for ever; a claim has one holder; `Ok` means
//! durable.

use std::sync::Arc;

use async_trait::async_trait;
use chatledger_domain::{AnyEvent, Claim, Position, TenantId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// All events of one aggregate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId {
    /// The aggregate's type, as stored.
    pub aggregate_type: &'static str,
    /// The aggregate's id within its type and tenant.
    pub aggregate_id: String,
}

/// Who or what caused an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Cause {
    /// A user, through an API.
    User {
        /// The user's id.
        id: i64,
    },
    /// WhatsApp, through a webhook.
    Whatsapp,
    /// The system itself: reactors, set-up, commands of the operator.
    System {
        /// The part that acted.
        part: String,
    },
}

impl Cause {
    /// A caller that is no user yet: what it may do is decided, and never recorded.
    pub const NOBODY: Self = Self::User { id: 0 };
}

/// What is recorded beside every event; auditors live on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// Who or what caused it.
    pub actor: Cause,
    /// The API family or door it came through: `integration`, `whatsapp`, `system` …
    pub family: String,
    /// The request's `X-Request-ID`, or one made for it.
    pub correlation_id: String,
    /// The position of the event that led to this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation: Option<i64>,
}

/// An event about to be recorded.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Its stream.
    pub stream: StreamId,
    /// Its number in the stream: the first is 1. The append is refused if it is taken.
    pub sequence: i64,
    /// The event itself.
    pub event: AnyEvent,
    /// The stored JSON of it, made once.
    pub payload: String,
    /// The key under which it can be recorded only once.
    pub key: Option<String>,
    /// Names it takes and gives back.
    pub claims: Vec<Claim>,
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
}

/// Events that are recorded together or not at all.
#[derive(Clone, Debug)]
pub struct Unit {
    /// The ledger.
    pub tenant: TenantId,
    /// At least one event; events of one stream in sequence.
    pub events: Vec<NewEvent>,
    /// Streams that get no event but that the decision was made on, each with its newest sequence: where one has moved on,
    /// nothing is recorded.
    pub relies_on: Vec<(StreamId, i64)>,
    /// Recorded beside each of them.
    pub metadata: Arc<Metadata>,
}

/// A recorded event.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The ledger.
    pub tenant: TenantId,
    /// Its place in the ledger.
    pub position: Position,
    /// Its stream.
    pub stream: StreamId,
    /// Its number in the stream.
    pub sequence: i64,
    /// The event itself.
    pub event: AnyEvent,
    /// What was recorded beside it.
    pub metadata: Arc<Metadata>,
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
    /// When it was written.
    pub recorded_at: DateTime<Utc>,
}

/// The state of an aggregate at a sequence, so that a long stream need not be read from its start.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The sequence of the last event in it.
    pub sequence: i64,
    /// Changes when the state's form changes; a snapshot of another form is ignored.
    pub form: String,
    /// The state as JSON.
    pub state: String,
}

/// Why a unit was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// These idempotency keys are recorded already.
    #[error("recorded already")]
    Repeated(Vec<String>),
    /// Somebody else has extended these streams.
    #[error("the stream has moved on")]
    Conflict(Vec<StreamId>),
    /// This name is taken.
    #[error("the name is taken")]
    Claimed(String),
    /// Nobody holds this name.
    #[error("nobody holds the name")]
    Unclaimed(String),
    /// The database cannot be reached, or not in time. The unit may or may not have been recorded.
    #[error("the ledger is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The database refuses the events themselves; repeating does not help.
    #[error("the ledger refuses the events")]
    Refused(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Why nothing could be read.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The database cannot be reached, or not in time.
    #[error("the ledger is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// An event cannot be read by this version of the program.
    #[error("the event at position {position} cannot be read")]
    Unreadable {
        /// The event's place.
        position: Position,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// The append-only record of everything that happened.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Records a unit; `Ok` means durable. The events come back as recorded, in order.
    async fn append(&self, unit: Unit) -> Result<Vec<Recorded>, AppendError>;

    /// The snapshot of each stream, where there is one.
    async fn snapshots(&self, tenant: TenantId, streams: &[StreamId])
    -> Result<Vec<(StreamId, Snapshot)>, LedgerError>;

    /// Keeps a snapshot unless a newer one is kept already. A cache: may fail without harm.
    async fn keep_snapshot(&self, tenant: TenantId, stream: StreamId, snapshot: Snapshot);

    /// The events of several streams, each after a sequence; each stream's events in sequence.
    async fn load(&self, tenant: TenantId, streams: &[(StreamId, i64)]) -> Result<Vec<Recorded>, LedgerError>;

    /// The events after a position, in order, at most `limit`.
    async fn read(&self, tenant: TenantId, after: Position, limit: i64) -> Result<Vec<Recorded>, LedgerError>;

    /// The event at a position.
    async fn at(&self, tenant: TenantId, position: Position) -> Result<Option<Recorded>, LedgerError>;

    /// The event recorded under an idempotency key.
    async fn by_key(&self, tenant: TenantId, key: &str) -> Result<Option<Recorded>, LedgerError>;

    /// The newest position; 0 for an empty ledger.
    async fn head(&self, tenant: TenantId) -> Result<Position, LedgerError>;

    /// The tenants that have a ledger, with their newest position.
    async fn heads(&self) -> Result<Vec<(TenantId, Position)>, LedgerError>;

    /// What is appended from now on. A signal with events where this process appended them; never the only source:
    /// a subscriber that lags, or another server's append, is caught up by [`Ledger::read`].
    fn feed(&self) -> tokio::sync::broadcast::Receiver<Appended>;
}

/// One append, as told to subscribers.
#[derive(Clone, Debug)]
pub struct Appended {
    /// The ledger that grew.
    pub tenant: TenantId,
    /// Its newest position.
    pub head: Position,
    /// The events, when this process appended them; empty when another server did.
    pub events: Arc<[Recorded]>,
}
