//! A unit made ready for its lane, in the caller's own task, so that the lane has little left to do.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher, RandomState},
    sync::{Arc, LazyLock},
};

use chatledger_application::ports::ledger::{AppendError, Metadata, NewEvent, StreamId, Unit};
use chatledger_domain::Claim;

use super::hash::{self, Hash};

/// What a unit does to one name, all its events together.
pub(super) struct Naming {
    pub(super) name: String,
    /// Whether the name must be free before, else it must be held.
    pub(super) must_be_free: bool,
    /// The index of the event that holds it afterwards.
    pub(super) holder: Option<usize>,
}

/// A unit, checked for itself, with everything computed that does not depend on its place.
pub(super) struct Prepared {
    pub(super) events: Vec<NewEvent>,
    pub(super) payload_hashes: Vec<Hash>,
    pub(super) metadata: Arc<Metadata>,
    pub(super) metadata_json: String,
    pub(super) metadata_hash: Hash,
    /// The indexes of the events that are the first of their stream in this unit.
    pub(super) starts: Vec<usize>,
    /// The streams that may not have moved on, each with its newest sequence.
    pub(super) relies_on: Vec<(StreamId, i64)>,
    pub(super) namings: Vec<Naming>,
    /// Fingerprints of the streams, keys and names. Two units that share one do not go into the same group; that two
    /// different things share one by chance does no harm.
    pub(super) touched: Vec<u64>,
    pub(super) bytes: usize,
}

/// What a fingerprint is of.
#[derive(Hash)]
enum Touched<'a> {
    Stream(&'a StreamId),
    Key(&'a str),
    Name(&'a str),
}

impl Prepared {
    pub(super) fn new(unit: Unit) -> Result<Self, AppendError> {
        static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        let Unit { mut events, relies_on, metadata, .. } = unit;
        let metadata_json = serde_json::to_string(&*metadata).map_err(|error| AppendError::Refused(error.into()))?;
        for event in &mut events {
            event.occurred_at = hash::to_micros(event.occurred_at);
        }
        let starts = starts(&events)?;
        let namings = namings(&events)?;
        unique_keys(&events)?;
        let touched = (starts.iter().map(|start| Touched::Stream(&events[*start].stream)))
            .chain(relies_on.iter().map(|(stream, _)| Touched::Stream(stream)))
            .chain(events.iter().filter_map(|event| event.key.as_deref().map(Touched::Key)))
            .chain(namings.iter().map(|naming| Touched::Name(&naming.name)))
            .map(|touched| HASHER.hash_one(touched))
            .collect();
        Ok(Self {
            touched,
            payload_hashes: events.iter().map(|event| hash::of_text(&event.payload)).collect(),
            bytes: events.iter().map(|event| event.payload.len() + metadata_json.len()).sum(),
            metadata_hash: hash::of_text(&metadata_json),
            metadata,
            metadata_json,
            starts,
            relies_on,
            namings,
            events,
        })
    }
}

/// Where each stream begins; refuses a unit that itself skips or repeats a sequence.
fn starts(events: &[NewEvent]) -> Result<Vec<usize>, AppendError> {
    let mut last = HashMap::with_capacity(events.len());
    let mut starts = Vec::with_capacity(events.len());
    for (index, event) in events.iter().enumerate() {
        match last.insert(&event.stream, event.sequence) {
            None => starts.push(index),
            Some(before) if before + 1 == event.sequence => {}
            Some(_) => return Err(AppendError::Conflict(vec![event.stream.clone()])),
        }
    }
    Ok(starts)
}

fn namings(events: &[NewEvent]) -> Result<Vec<Naming>, AppendError> {
    let mut namings: Vec<Naming> = Vec::new();
    for (index, event) in events.iter().enumerate() {
        for claim in &event.claims {
            let (name, takes) = match claim {
                Claim::Take(name) => (name, true),
                Claim::Release(name) => (name, false),
            };
            let holder = takes.then_some(index);
            match namings.iter_mut().find(|naming| naming.name == *name) {
                None => namings.push(Naming { name: name.clone(), must_be_free: takes, holder }),
                Some(naming) if naming.holder.is_some() == takes => {
                    let name = name.clone();
                    return Err(if takes { AppendError::Claimed(name) } else { AppendError::Unclaimed(name) });
                }
                Some(naming) => naming.holder = holder,
            }
        }
    }
    Ok(namings)
}

fn unique_keys(events: &[NewEvent]) -> Result<(), AppendError> {
    let mut seen = HashSet::new();
    match events.iter().filter_map(|event| event.key.as_deref()).find(|key| !seen.insert(*key)) {
        None => Ok(()),
        // Not `Repeated`: whoever drops what is recorded already would drop both.
        Some(key) => Err(AppendError::Refused(format!("the unit has the key {key} twice").into())),
    }
}
