//! The ledger on Postgres.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use chatledger_application::ports::ledger::{
    AppendError, Appended, Ledger, LedgerError, Recorded, Snapshot, StreamId, Unit,
};
use chatledger_domain::{Position, TenantId};
use sqlx::PgPool;
use tokio::{
    runtime::Handle,
    sync::{Semaphore, broadcast, mpsc, oneshot},
    task::AbortHandle,
    time::timeout,
};
use uuid::Uuid;

use super::{
    append::{self, Core, Job},
    feed::{self, Growth},
    prepare::Prepared,
    read,
};

/// Units that may wait in a lane before their callers wait.
const QUEUE: usize = 1_024;
/// Groups of different tenants that are written at once.
const WRITING: usize = 8;
/// Appends that a slow subscriber may lag behind before it must read.
const FEED: usize = 4_096;
/// How long a caller waits.
const LIMIT: Duration = Duration::from_millis(4_500);

/// The ledger on Postgres. Its lanes run on the runtime it was made in, whoever calls it.
pub struct PgLedger {
    core: Arc<Core>,
    lanes: Mutex<HashMap<TenantId, mpsc::Sender<Job>>>,
    runtime: Handle,
    background: [AbortHandle; 2],
}

impl PgLedger {
    /// A ledger on this pool. Must be called within a Tokio runtime that outlives it.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        let runtime = Handle::current();
        let core = Arc::new(Core {
            pool,
            feed: broadcast::Sender::new(FEED),
            growth: Growth::default(),
            writing: Arc::new(Semaphore::new(WRITING)),
        });
        let process = Uuid::new_v4();
        let background = [
            runtime.spawn(feed::announce(core.clone(), process)).abort_handle(),
            runtime.spawn(feed::listen(core.clone(), process)).abort_handle(),
        ];
        Self { core, lanes: Mutex::default(), runtime, background }
    }

    /// What is shared with those that append beside the lanes.
    pub(super) fn core(&self) -> &Core {
        &self.core
    }

    fn lane(&self, tenant: TenantId) -> mpsc::Sender<Job> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lane) = lanes.get(&tenant).filter(|lane| !lane.is_closed()) {
            return lane.clone();
        }
        lanes.retain(|_, lane| !lane.is_closed());
        let (lane, queue) = mpsc::channel(QUEUE);
        self.runtime.spawn(append::run(self.core.clone(), tenant, queue));
        lanes.insert(tenant, lane.clone());
        lane
    }

    async fn submit(&self, tenant: TenantId, unit: Prepared) -> Result<Vec<Recorded>, AppendError> {
        let (answer, answered) = oneshot::channel();
        let mut job = Job { unit, answer };
        // A lane that has just ended gives the unit back.
        while let Err(mpsc::error::SendError(back)) = self.lane(tenant).send(job).await {
            job = back;
        }
        answered.await.unwrap_or_else(|lost| Err(AppendError::Unavailable(lost.into())))
    }
}

impl Drop for PgLedger {
    fn drop(&mut self) {
        self.background.iter().for_each(AbortHandle::abort);
    }
}

#[async_trait]
impl Ledger for PgLedger {
    async fn append(&self, unit: Unit) -> Result<Vec<Recorded>, AppendError> {
        if unit.events.is_empty() {
            return Ok(Vec::new());
        }
        let tenant = unit.tenant;
        let unit = Prepared::new(unit)?;
        let answered = timeout(LIMIT, self.submit(tenant, unit)).await;
        answered.unwrap_or_else(|late| Err(AppendError::Unavailable(late.into())))
    }

    async fn snapshots(
        &self,
        tenant: TenantId,
        streams: &[StreamId],
    ) -> Result<Vec<(StreamId, Snapshot)>, LedgerError> {
        read::snapshots(&self.core.pool, tenant, streams).await
    }

    async fn keep_snapshot(&self, tenant: TenantId, stream: StreamId, snapshot: Snapshot) {
        if let Err(error) = read::keep_snapshot(&self.core.pool, tenant, &stream, &snapshot).await {
            tracing::debug!(%error, "a snapshot was not kept");
        }
    }

    async fn load(&self, tenant: TenantId, streams: &[(StreamId, i64)]) -> Result<Vec<Recorded>, LedgerError> {
        read::load(&self.core.pool, tenant, streams).await
    }

    async fn read(&self, tenant: TenantId, after: Position, limit: i64) -> Result<Vec<Recorded>, LedgerError> {
        read::page(&self.core.pool, tenant, after, limit).await
    }

    async fn at(&self, tenant: TenantId, position: Position) -> Result<Option<Recorded>, LedgerError> {
        read::at(&self.core.pool, tenant, position).await
    }

    async fn by_key(&self, tenant: TenantId, key: &str) -> Result<Option<Recorded>, LedgerError> {
        read::by_key(&self.core.pool, tenant, key).await
    }

    async fn head(&self, tenant: TenantId) -> Result<Position, LedgerError> {
        read::head(&self.core.pool, tenant).await
    }

    async fn heads(&self) -> Result<Vec<(TenantId, Position)>, LedgerError> {
        read::heads(&self.core.pool).await
    }

    fn feed(&self) -> broadcast::Receiver<Appended> {
        self.core.feed.subscribe()
    }
}
