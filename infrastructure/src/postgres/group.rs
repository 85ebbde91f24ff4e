//! A group of units as one call of `ledger.append`, and what its answer means for each of them.

use std::collections::HashSet;

use chatledger_application::ports::ledger::{AppendError, StreamId};
use chatledger_domain::TenantId;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{
    hash::{GENESIS, Hash, Link},
    prepare::Prepared,
};

/// The newest event of a ledger.
#[derive(Clone, Copy)]
pub(super) struct Head {
    pub(super) position: i64,
    pub(super) hash: Hash,
}

impl Head {
    /// Of a ledger without events; also a guess where nothing is known, as a wrong one is answered with the truth.
    pub(super) const EMPTY: Self = Self { position: 0, hash: GENESIS };
}

/// What became of a group.
pub(super) enum Outcome {
    /// All of it is durable, and this is the head now.
    Written(Head),
    /// Nothing was written: the head is another.
    Stale(Head),
    /// Nothing was written because of these units, by index.
    Refused(Vec<(usize, AppendError)>),
}

/// What `ledger.append` returns: written, the head's position and hash, repeated keys, the numbers of streams that
/// moved, names that are taken, names that nobody holds.
type Answer = (bool, i64, Vec<u8>, Option<Vec<String>>, Option<Vec<i64>>, Option<Vec<String>>, Option<Vec<String>>);

const APPEND: &str = "SELECT * FROM ledger.append(\
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)";

/// The columns of the events, and the conditions under which they may be written.
#[derive(Default)]
struct Columns<'a> {
    types: Vec<&'a str>,
    ids: Vec<&'a str>,
    sequences: Vec<i64>,
    names: Vec<&'a str>,
    versions: Vec<&'a str>,
    payloads: Vec<&'a str>,
    metadatas: Vec<&'a str>,
    keys: Vec<Option<&'a str>>,
    occurred: Vec<DateTime<Utc>>,
    payload_hashes: Vec<Hash>,
    hashes: Vec<Hash>,
    start_types: Vec<&'a str>,
    start_ids: Vec<&'a str>,
    start_sequences: Vec<i64>,
    must_be_free: Vec<&'a str>,
    must_be_held: Vec<&'a str>,
    given_back: Vec<&'a str>,
    taken: Vec<&'a str>,
    taken_at: Vec<i64>,
}

impl<'a> Columns<'a> {
    fn add(&mut self, head: &mut Head, unit: &'a Prepared, recorded_at: DateTime<Utc>) {
        let before = head.position;
        for (event, payload_hash) in unit.events.iter().zip(&unit.payload_hashes) {
            head.position += 1;
            let link = Link {
                position: head.position,
                aggregate_type: event.stream.aggregate_type,
                aggregate_id: &event.stream.aggregate_id,
                sequence: event.sequence,
                event_type: event.event.name(),
                event_version: event.event.version(),
                occurred_at: event.occurred_at,
                recorded_at,
                payload: payload_hash,
                metadata: &unit.metadata_hash,
            };
            head.hash = link.after(&head.hash);
            self.types.push(link.aggregate_type);
            self.ids.push(link.aggregate_id);
            self.sequences.push(event.sequence);
            self.names.push(link.event_type);
            self.versions.push(link.event_version);
            self.payloads.push(&event.payload);
            self.metadatas.push(&unit.metadata_json);
            self.keys.push(event.key.as_deref());
            self.occurred.push(event.occurred_at);
            self.payload_hashes.push(*payload_hash);
            self.hashes.push(head.hash);
        }
        for event in unit.starts.iter().map(|start| &unit.events[*start]) {
            self.start_types.push(event.stream.aggregate_type);
            self.start_ids.push(&event.stream.aggregate_id);
            self.start_sequences.push(event.sequence);
        }
        for (stream, newest) in &unit.relies_on {
            self.start_types.push(stream.aggregate_type);
            self.start_ids.push(&stream.aggregate_id);
            self.start_sequences.push(newest + 1);
        }
        for naming in &unit.namings {
            if naming.must_be_free {
                self.must_be_free.push(&naming.name);
            } else {
                self.must_be_held.push(&naming.name);
                self.given_back.push(&naming.name);
            }
            if let Some(holder) = naming.holder {
                self.taken.push(&naming.name);
                self.taken_at.push(before + 1 + holder as i64);
            }
        }
    }
}

/// Appends all of these on top of `head`, or nothing.
pub(super) async fn append(
    connection: &mut PgConnection,
    tenant: TenantId,
    assumed: Head,
    recorded_at: DateTime<Utc>,
    units: &[&Prepared],
) -> Result<Outcome, sqlx::Error> {
    let mut columns = Columns::default();
    let mut head = assumed;
    for unit in units {
        columns.add(&mut head, unit, recorded_at);
    }
    let answer: Answer = sqlx::query_as(APPEND)
        .bind(tenant.0)
        .bind(assumed.position)
        .bind(assumed.hash)
        .bind(recorded_at)
        .bind(&columns.types)
        .bind(&columns.ids)
        .bind(&columns.sequences)
        .bind(&columns.names)
        .bind(&columns.versions)
        .bind(&columns.payloads)
        .bind(&columns.metadatas)
        .bind(&columns.keys)
        .bind(&columns.occurred)
        .bind(&columns.payload_hashes)
        .bind(&columns.hashes)
        .bind(&columns.start_types)
        .bind(&columns.start_ids)
        .bind(&columns.start_sequences)
        .bind(&columns.must_be_free)
        .bind(&columns.must_be_held)
        .bind(&columns.given_back)
        .bind(&columns.taken)
        .bind(&columns.taken_at)
        .fetch_one(connection)
        .await?;
    if answer.0 {
        return Ok(Outcome::Written(head));
    }
    let refused = refused(units, &answer);
    if !refused.is_empty() {
        return Ok(Outcome::Refused(refused));
    }
    let hash = answer.2.try_into().map_err(|_| sqlx::Error::Protocol("a head hash that is no sha256".into()))?;
    Ok(Outcome::Stale(Head { position: answer.1, hash }))
}

/// The verdict on each unit that stands in the way.
fn refused(units: &[&Prepared], (_, _, _, repeated, moved, claimed, unclaimed): &Answer) -> Vec<(usize, AppendError)> {
    fn set(names: &Option<Vec<String>>) -> HashSet<&str> {
        names.iter().flatten().map(String::as_str).collect()
    }
    let (repeated, claimed, unclaimed) = (set(repeated), set(claimed), set(unclaimed));
    let moved: HashSet<i64> = moved.iter().flatten().copied().collect();
    let mut start = 0;
    let mut verdicts = Vec::new();
    for (index, unit) in units.iter().enumerate() {
        let keys: Vec<String> = (unit.events.iter().filter_map(|event| event.key.as_deref()))
            .filter(|key| repeated.contains(key))
            .map(str::to_owned)
            .collect();
        let mut streams: Vec<StreamId> = Vec::new();
        let begun = unit.starts.iter().map(|event| &unit.events[*event].stream);
        for stream in begun.chain(unit.relies_on.iter().map(|(stream, _)| stream)) {
            start += 1;
            if moved.contains(&start) {
                streams.push(stream.clone());
            }
        }
        let name = |free: bool, names: &HashSet<&str>| {
            let mut namings = unit.namings.iter().filter(|naming| naming.must_be_free == free);
            namings.find(|naming| names.contains(&*naming.name)).map(|naming| naming.name.clone())
        };
        if !keys.is_empty() {
            verdicts.push((index, AppendError::Repeated(keys)));
        } else if !streams.is_empty() {
            verdicts.push((index, AppendError::Conflict(streams)));
        } else if let Some(name) = name(true, &claimed) {
            verdicts.push((index, AppendError::Claimed(name)));
        } else if let Some(name) = name(false, &unclaimed) {
            verdicts.push((index, AppendError::Unclaimed(name)));
        }
    }
    verdicts
}
