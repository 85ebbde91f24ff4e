//! What the feed has brought for one tenant and is not applied yet.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use chatledger_application::ports::ledger::{Appended, Recorded};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// At most so many events wait in memory; what comes on top is read back from the ledger when its turn comes.
const HELD: usize = 8_192;

/// A part of one append.
#[derive(Clone, Debug)]
pub(super) struct Chunk {
    events: Arc<[Recorded]>,
    from: usize,
    to: usize,
}

impl Chunk {
    pub(super) fn events(&self) -> &[Recorded] {
        &self.events[self.from..self.to]
    }
}

impl From<Vec<Recorded>> for Chunk {
    fn from(events: Vec<Recorded>) -> Self {
        Self { from: 0, to: events.len(), events: events.into() }
    }
}

#[derive(Debug, Default)]
struct State {
    head: i64,
    appends: VecDeque<Arc<[Recorded]>>,
    held: usize,
    positions: Vec<i64>,
}

/// One tenant's appends in order, its newest known position, and how far its read models are.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    pub(super) wake: Notify,
    /// The tenant is no more.
    pub(super) gone: CancellationToken,
}

impl Queue {
    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes an append.
    pub(super) fn push(&self, appended: Appended) {
        self.with(|state| {
            state.head = state.head.max(appended.head.0);
            if !appended.events.is_empty() && state.held + appended.events.len() <= HELD {
                state.held += appended.events.len();
                state.appends.push_back(appended.events);
            }
        });
        self.wake.notify_one();
    }

    /// The ledger is known to reach this far.
    pub(super) fn raise(&self, head: i64) {
        let lags = self.with(|state| {
            state.head = state.head.max(head);
            state.positions.is_empty() || state.positions.iter().any(|position| *position < state.head)
        });
        if lags {
            self.wake.notify_one();
        }
    }

    /// The newest known position.
    pub(super) fn head(&self) -> i64 {
        self.with(|state| state.head)
    }

    /// Keeps for the metrics how far the read models are.
    pub(super) fn reached(&self, positions: &[i64]) {
        self.with(|state| state.positions = positions.to_vec());
    }

    /// How many events each read model is behind.
    pub(super) fn lags(&self) -> Vec<i64> {
        self.with(|state| state.positions.iter().map(|position| (state.head - position).max(0)).collect())
    }

    /// The events that continue a position without a hole, at most `limit`; none where they are not at hand.
    pub(super) fn take(&self, mut after: i64, mut limit: i64) -> Vec<Chunk> {
        self.with(|state| {
            let mut chunks = Vec::new();
            while let Some(events) = state.appends.front() {
                let first = events.first().map_or(i64::MAX, |event| event.position.0);
                let last = events.last().map_or(0, |event| event.position.0);
                if last > after {
                    if first > after + 1 || limit <= 0 {
                        break;
                    }
                    let from = usize::try_from(after + 1 - first).unwrap_or_default();
                    let to = events.len().min(from + usize::try_from(limit).unwrap_or_default());
                    let chunk = Chunk { events: events.clone(), from, to };
                    limit -= i64::try_from(to - from).unwrap_or_default();
                    after = chunk.events().last().map_or(after, |event| event.position.0);
                    chunks.push(chunk);
                    if after < last {
                        break;
                    }
                }
                state.held -= events.len();
                state.appends.pop_front();
            }
            chunks
        })
    }
}
