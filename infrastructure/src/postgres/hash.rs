//! The chain of hashes that makes every change of the ledger show.

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

/// A sha256.
pub(crate) type Hash = [u8; 32];

/// What stands before the first event.
pub(crate) const GENESIS: Hash = [0; 32];

/// The hash of a stored text.
pub(crate) fn of_text(text: &str) -> Hash {
    of_bytes(text.as_bytes())
}

/// The hash of a stored text as bytes.
pub(super) fn of_bytes(text: &[u8]) -> Hash {
    Sha256::digest(text).into()
}

/// What the hash of an event covers, beside the hash before it.
pub(crate) struct Link<'a> {
    pub(crate) position: i64,
    pub(crate) aggregate_type: &'a str,
    pub(crate) aggregate_id: &'a str,
    pub(crate) sequence: i64,
    pub(crate) event_type: &'a str,
    pub(crate) event_version: &'a str,
    pub(crate) occurred_at: DateTime<Utc>,
    pub(crate) recorded_at: DateTime<Utc>,
    pub(crate) payload: &'a Hash,
    pub(crate) metadata: &'a Hash,
}

impl Link<'_> {
    /// The event's hash. Every text goes in behind its length, so that no two events share an encoding.
    pub(crate) fn after(&self, previous: &Hash) -> Hash {
        let mut sha = Sha256::new();
        let text = |sha: &mut Sha256, text: &str| {
            sha.update((text.len() as u64).to_be_bytes());
            sha.update(text.as_bytes());
        };
        sha.update(previous);
        sha.update(self.position.to_be_bytes());
        text(&mut sha, self.aggregate_type);
        text(&mut sha, self.aggregate_id);
        sha.update(self.sequence.to_be_bytes());
        text(&mut sha, self.event_type);
        text(&mut sha, self.event_version);
        sha.update(self.occurred_at.timestamp_micros().to_be_bytes());
        sha.update(self.recorded_at.timestamp_micros().to_be_bytes());
        sha.update(self.payload);
        sha.update(self.metadata);
        sha.finalize().into()
    }
}

/// The time as Postgres keeps it, in whole microseconds.
pub(super) fn to_micros(time: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(time.timestamp_micros()).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link<'a>(aggregate_type: &'a str, aggregate_id: &'a str) -> Link<'a> {
        Link {
            position: 1,
            aggregate_type,
            aggregate_id,
            sequence: 1,
            event_type: "TagCreated",
            event_version: "1",
            occurred_at: DateTime::UNIX_EPOCH,
            recorded_at: DateTime::UNIX_EPOCH,
            payload: &GENESIS,
            metadata: &GENESIS,
        }
    }

    #[test]
    fn texts_that_only_join_alike_hash_apart() {
        assert_ne!(link("ab", "c").after(&GENESIS), link("a", "bc").after(&GENESIS));
    }

    #[test]
    fn the_hash_follows_the_one_before() {
        assert_ne!(link("a", "b").after(&GENESIS), link("a", "b").after(&[1; 32]));
    }

    #[test]
    fn the_encoding_is_frozen() {
        assert_eq!(
            hex::encode(link("tag", "1").after(&GENESIS)),
            "ae5cda3cb561d5697973dd16da63d861d9bfb0a56d87edbe5e117aef6af49abf"
        );
    }

    #[test]
    fn times_lose_what_postgres_does_not_keep() {
        let time = DateTime::from_timestamp(1, 123_456_789).expect("a time");
        assert_eq!(to_micros(time).timestamp_subsec_nanos(), 123_456_000);
    }
}
