//! Proof that one event is in the ledger that a checkpoint stands for, for somebody without the database: the event
//! itself and a hash for each doubling of the ledger. Of all other events it shows nothing.

use chatledger_domain::Position;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use super::{Checkpoint, CheckpointError, Digest, PublicKey, tree};
use crate::postgres::hash::{Hash, Link, of_text};

/// What the form is called in which they are written.
const FORMAT: &str = "chatledger-proof-1";

/// An event with everything that its hash is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvedEvent {
    /// Place in the ledger.
    pub position: Position,
    /// The aggregate's type.
    pub aggregate_type: String,
    /// The aggregate's id.
    pub aggregate_id: String,
    /// Number in the stream.
    pub sequence: i64,
    /// The stored name.
    pub event_type: String,
    /// The stored version.
    pub event_version: String,
    /// When it happened, RFC 3339 in UTC, microseconds.
    pub occurred_at: String,
    /// When it was written, RFC 3339 in UTC, microseconds.
    pub recorded_at: String,
    /// The payload's JSON, byte for byte; `None` when it was erased: its hash stands.
    pub payload: Option<String>,
    /// sha256 of the payload.
    pub payload_hash: Digest,
    /// The metadata's JSON, byte for byte.
    pub metadata: String,
    /// The hash of the event before it.
    pub previous_hash: Digest,
    /// The event's hash.
    pub hash: Digest,
}

/// A proof, as it is written, JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    format: String,
    /// The event.
    pub event: ProvedEvent,
    /// The hashes beside its way up to the root, from its neighbour on.
    pub path: Vec<Digest>,
    /// What it is in.
    pub checkpoint: Checkpoint,
}

/// Why a proof proves nothing.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// It has another form.
    #[error("this is no proof of this program")]
    Form,
    /// The checkpoint says nothing.
    #[error("the checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// The payload is not the one that was recorded.
    #[error("the payload was altered")]
    Payload,
    /// Something else of the event is not as it was recorded.
    #[error("the event was altered: its hash does not follow from it")]
    Event,
    /// The event is not in the ledger that was signed.
    #[error("the event is not in the ledger that the checkpoint stands for, or not at this position")]
    NotIncluded,
}

impl Proof {
    /// Puts one together.
    #[must_use]
    pub fn new(event: ProvedEvent, path: &[Hash], checkpoint: Checkpoint) -> Self {
        Self { format: FORMAT.to_owned(), event, path: path.iter().copied().map(Digest).collect(), checkpoint }
    }

    /// Checks it, with nothing but itself: the event's hash, the way to the root, the signature of the root, by this
    /// key where one is given.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, key: Option<&PublicKey>) -> Result<(), ProofError> {
        if self.format != FORMAT {
            return Err(ProofError::Form);
        }
        self.checkpoint.check(key)?;
        if self.event.payload.as_deref().is_some_and(|payload| of_text(payload) != self.event.payload_hash.0) {
            return Err(ProofError::Payload);
        }
        if self.event.recomputed() != Some(self.event.hash.0) {
            return Err(ProofError::Event);
        }
        let path: Vec<Hash> = self.path.iter().map(|digest| digest.0).collect();
        let size = u64::try_from(self.checkpoint.position.0).ok();
        // Positions begin at 1, the tree's indexes at 0.
        let index = u64::try_from(self.event.position.0).ok().and_then(|position| position.checked_sub(1));
        let root = index.zip(size).and_then(|(index, size)| tree::root_of(&self.event.hash.0, index, size, &path));
        if root == Some(self.checkpoint.root.0) { Ok(()) } else { Err(ProofError::NotIncluded) }
    }
}

impl ProvedEvent {
    /// The hash that follows from the fields.
    fn recomputed(&self) -> Option<Hash> {
        let link = Link {
            position: self.position.0,
            aggregate_type: &self.aggregate_type,
            aggregate_id: &self.aggregate_id,
            sequence: self.sequence,
            event_type: &self.event_type,
            event_version: &self.event_version,
            occurred_at: time(&self.occurred_at)?,
            recorded_at: time(&self.recorded_at)?,
            payload: &self.payload_hash.0,
            metadata: &of_text(&self.metadata),
        };
        Some(link.after(&self.previous_hash.0))
    }
}

/// A time in the one form in which it is written, so that no digit of it is outside the hash.
fn time(text: &str) -> Option<DateTime<Utc>> {
    let time = DateTime::parse_from_rfc3339(text).ok()?.to_utc();
    (time.to_rfc3339_opts(SecondsFormat::Micros, true) == text).then_some(time)
}
