//! Reads streams out of the ledger. Callers that come while a reading is under way share the next one, so that a
//! thousand first messages at once do not mean a thousand queries.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use chatledger_domain::TenantId;
use tokio::sync::oneshot;

use crate::{
    ports::ledger::{Ledger, LedgerError, Recorded, Snapshot, StreamId},
    streams::{Baseline, StreamOf},
};

/// A stream as it was read: its state, and how many events were read to get there.
pub(crate) struct Loaded {
    pub(crate) baseline: Baseline,
    pub(crate) read: usize,
}

/// Reads for all callers of a process.
pub(crate) struct Loader {
    ledger: Arc<dyn Ledger>,
    queues: Mutex<HashMap<TenantId, Arc<Queue>>>,
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<Vec<Request>>,
    /// Held by whoever reads for all that are waiting.
    reading: tokio::sync::Mutex<()>,
}

struct Request {
    streams: Vec<StreamOf>,
    answer: oneshot::Sender<Vec<Loaded>>,
}

impl Loader {
    pub(crate) fn new(ledger: Arc<dyn Ledger>) -> Self {
        Self { ledger, queues: Mutex::default() }
    }

    /// The streams' states, in the order asked for.
    pub(crate) async fn load(&self, tenant: TenantId, streams: &[StreamOf]) -> Result<Vec<Loaded>, LedgerError> {
        let queue = lock(&self.queues).entry(tenant).or_default().clone();
        loop {
            let (answer, mut answered) = oneshot::channel();
            lock(&queue.waiting).push(Request { streams: streams.to_vec(), answer });
            let turn = queue.reading.lock().await;
            // Whoever read before us may have read for us.
            match answered.try_recv() {
                Ok(loaded) => return Ok(loaded),
                Err(oneshot::error::TryRecvError::Empty) => {}
                // It failed, or gave up: ask again, and read ourselves.
                Err(oneshot::error::TryRecvError::Closed) => continue,
            }
            let requests = std::mem::take(&mut *lock(&queue.waiting));
            let all: Vec<StreamOf> = requests.iter().flat_map(|request| request.streams.iter().cloned()).collect();
            let mut loaded = self.read(tenant, &all).await?.into_iter();
            for Request { streams, answer } in requests {
                // Nobody waits any more where a caller has gone away.
                let _ = answer.send(loaded.by_ref().take(streams.len()).collect());
            }
            drop(turn);
            if let Ok(loaded) = answered.try_recv() {
                return Ok(loaded);
            }
        }
    }

    async fn read(&self, tenant: TenantId, streams: &[StreamOf]) -> Result<Vec<Loaded>, LedgerError> {
        let ids: Vec<StreamId> = streams.iter().map(|stream| stream.id.clone()).collect();
        let snapshots = self.ledger.snapshots(tenant, &ids).await?;
        let snapshots: HashMap<StreamId, Snapshot> = snapshots.into_iter().collect();
        let starts: Vec<(StreamOf, Baseline)> = streams
            .iter()
            .map(|stream| {
                let restored = snapshots.get(&stream.id).and_then(|snapshot| stream.restore(snapshot));
                (stream.clone(), restored.unwrap_or_else(|| stream.fresh()))
            })
            .collect();
        self.read_on(tenant, &starts).await
    }

    /// The streams' states now, from states of before.
    pub(crate) async fn read_on(
        &self,
        tenant: TenantId,
        starts: &[(StreamOf, Baseline)],
    ) -> Result<Vec<Loaded>, LedgerError> {
        let after = starts.iter().map(|(stream, start)| (stream.id.clone(), start.sequence)).collect();
        let mut events: HashMap<StreamId, Vec<Recorded>> = HashMap::new();
        for recorded in self.ledger.load(tenant, &unique(after)).await? {
            events.entry(recorded.stream.clone()).or_default().push(recorded);
        }
        let none = Vec::new();
        let loaded = starts.iter().map(|(stream, start)| {
            let own = events.get(&stream.id).unwrap_or(&none);
            Loaded { baseline: stream.evolve(start, own), read: own.len() }
        });
        Ok(loaded.collect())
    }
}

/// Two callers may ask for the same stream.
fn unique(mut streams: Vec<(StreamId, i64)>) -> Vec<(StreamId, i64)> {
    streams.sort();
    streams.dedup();
    streams
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
