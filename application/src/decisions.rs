//! The loaded streams of one piece of work, and what has been decided on them so far.

use std::collections::HashSet;

use chatledger_domain::{Event, Position};
use chrono::{DateTime, Utc};

use crate::{
    ports::ledger::{NewEvent, StreamId},
    streams::{Aggregate, Baseline, StreamOf},
};

/// A loaded stream: as it was, and with what has been decided so far.
pub(crate) struct Working {
    pub(crate) stream: StreamOf,
    pub(crate) before: Baseline,
    pub(crate) now: Baseline,
}

/// The loaded streams of one piece of work, and what has been decided so far.
pub struct Decisions<'a> {
    streams: Vec<Working>,
    /// Where the last stream was found: work goes through its streams in order.
    found: usize,
    events: Vec<NewEvent>,
    keys: HashSet<String>,
    relies_on: Vec<(StreamId, i64)>,
    recorded_already: &'a HashSet<String>,
    now: DateTime<Utc>,
}

impl<'a> Decisions<'a> {
    pub(crate) fn on(streams: Vec<Working>, recorded_already: &'a HashSet<String>, now: DateTime<Utc>) -> Self {
        let (events, keys, relies_on) = (Vec::new(), HashSet::new(), Vec::new());
        Self { streams, found: 0, events, keys, relies_on, recorded_already, now }
    }

    /// The streams that were relied on and got no event, each with the sequence at which it was.
    pub(crate) fn relied_on(&self) -> Vec<(StreamId, i64)> {
        let untouched = |stream: &StreamId| self.events.iter().all(|event| event.stream != *stream);
        self.relies_on.iter().filter(|(stream, _)| untouched(stream)).cloned().collect()
    }

    /// The streams, and what was decided on them.
    pub(crate) fn into_parts(self) -> (Vec<Working>, Vec<NewEvent>) {
        (self.streams, self.events)
    }

    fn find(&self, aggregate_type: &str, id: &str) -> Option<usize> {
        let is_it = |at: &usize| {
            let stream = &self.streams[*at].stream.id;
            stream.aggregate_type == aggregate_type && stream.aggregate_id == id
        };
        (self.found..self.streams.len()).chain(0..self.found).find(is_it)
    }

    /// The state of a loaded aggregate, decisions so far included; as new if it was not loaded.
    #[must_use]
    pub fn state<D: Aggregate>(&self, id: &str) -> D {
        self.find(D::TYPE, id).and_then(|at| self.streams[at].now.state::<D>()).unwrap_or_default()
    }

    /// The same for a state that what is decided stands and falls with: if anybody has changed it meanwhile, here or on
    /// another server, nothing is recorded and all is decided again.
    #[must_use]
    pub fn relied_state<D: Aggregate>(&mut self, id: &str) -> D {
        let Some(at) = self.find(D::TYPE, id) else { return D::default() };
        let working = &self.streams[at];
        let stream = working.stream.id.clone();
        if self.relies_on.iter().all(|(other, _)| *other != stream) {
            self.relies_on.push((stream, working.before.sequence));
        }
        working.now.state::<D>().unwrap_or_default()
    }

    /// Lets a loaded aggregate decide; how many events followed.
    ///
    /// # Errors
    /// The rule that the command breaks.
    pub fn decide<D: Aggregate>(&mut self, id: &str, command: D::Command) -> Result<usize, D::Refusal> {
        self.decide_at::<D>(id, command, self.now)
    }

    /// The same, for something that happened at another time than now.
    ///
    /// # Errors
    /// The rule that the command breaks.
    pub fn decide_at<D: Aggregate>(
        &mut self,
        id: &str,
        command: D::Command,
        occurred_at: DateTime<Utc>,
    ) -> Result<usize, D::Refusal> {
        let mut state = self.state::<D>(id);
        let events = state.decide(command)?;
        let Some(found) = self.find(D::TYPE, id) else { return Ok(0) };
        self.found = found;
        let (working, before) = (&mut self.streams[found], self.events.len());
        for event in events {
            let in_stream = || event.key_in_stream().map(|key| format!("{key}:{}", working.stream.id.aggregate_id));
            let key = event.idempotency_key().or_else(in_stream);
            let repeat =
                key.as_ref().is_some_and(|key| self.recorded_already.contains(key) || !self.keys.insert(key.clone()));
            if repeat {
                continue;
            }
            // Only values that came out of JSON or are plain data are in events, so this cannot fail; if it does, the
            // event is refused by the ledger as empty.
            let payload = event.payload().unwrap_or_default();
            working.now.sequence += 1;
            // The position is known only after the append; the baseline is then made anew from what was recorded.
            state.evolve(&event, Position(0));
            self.events.push(NewEvent {
                stream: working.stream.id.clone(),
                sequence: working.now.sequence,
                claims: event.claims(),
                key,
                payload,
                event: D::any(event),
                occurred_at,
            });
        }
        working.now.set(state);
        Ok(self.events.len() - before)
    }
}
