//! Claims rows as fast as numbers and places allow, and keeps what is claimed alive.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use chatledger_domain::TenantId;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{MissedTickBehavior, interval, timeout},
};
use tokio_util::task::TaskTracker;

use super::{
    Shared,
    bucket::Buckets,
    call,
    rows::{self, Send},
};

/// Rows of dead servers that are taken over at once.
const TAKE_OVER: i64 = 50;

/// The rows that this server holds, with their fences.
type Held = Arc<Mutex<HashMap<(TenantId, i64), i64>>>;

struct Worker {
    shared: Arc<Shared>,
    places: Arc<Semaphore>,
    buckets: Buckets,
    held: Held,
    calls: TaskTracker,
}

/// Works until the stop, then until the calls under way are settled or the grace is over.
pub(super) async fn run(shared: Arc<Shared>) {
    let config = shared.config;
    let mut worker = Worker {
        places: Arc::new(Semaphore::new(config.parallel)),
        buckets: Buckets::new(config.rate),
        held: Held::default(),
        calls: TaskTracker::new(),
        shared,
    };
    let (held, pool) = (worker.held.clone(), worker.shared.parts.pool.clone());
    let heartbeat = tokio::spawn(async move {
        loop {
            tokio::time::sleep(config.lease / 5).await;
            let rows: Vec<_> = lock(&held).iter().map(|((tenant, at), fence)| (*tenant, *at, *fence)).collect();
            if !rows.is_empty()
                && let Err(error) = rows::extend(&pool, &rows, config.lease).await
            {
                tracing::warn!(%error, "claimed messages could not be kept");
            }
        }
    });
    let mut poll = interval(config.poll);
    poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = worker.shared.stop.cancelled() => break,
            () = worker.shared.wake.notified() => {}
            _ = poll.tick() => worker.look_around().await,
        }
        for tenant in worker.shared.take_hints() {
            worker.serve(tenant).await;
        }
    }
    worker.calls.close();
    if timeout(config.grace, worker.calls.wait()).await.is_err() {
        tracing::warn!(calls = worker.calls.len(), "stopped with calls under way; their outcome will be unknown");
    }
    heartbeat.abort();
}

impl Worker {
    /// Finds what nobody told: rows of other servers, rows whose time has come, rows of the dead.
    async fn look_around(&mut self) {
        let (pool, config) = (&self.shared.parts.pool, &self.shared.config);
        match rows::due(pool).await {
            Ok(tenants) => tenants.into_iter().for_each(|tenant| self.shared.hint(tenant)),
            Err(error) => tracing::warn!(%error, "queued messages wait: the sender's table cannot be read"),
        }
        match rows::take_over(pool, TAKE_OVER, config.lease).await {
            Ok(lost) => {
                for send in lost {
                    let held = Hold::new(&self.shared, &self.held, &send, None);
                    self.calls.spawn(call::give_up(self.shared.clone(), send, held));
                }
            }
            Err(error) => tracing::warn!(%error, "messages of a dead server could not be taken over"),
        }
    }

    /// Starts as many calls of a tenant as there are rows, places and tokens.
    async fn serve(&mut self, tenant: TenantId) {
        let free = self.places.available_permits();
        if free == 0 {
            // The end of any call wakes us again.
            self.shared.lock_hints().insert(tenant);
            return;
        }
        let Ok(entry) = self.shared.parts.directory.by_id(tenant).await else { return };
        let number = entry.and_then(|entry| entry.number);
        let tokens = number.as_ref().map(|number| self.buckets.available(&number.phone_number_id, Instant::now()));
        if tokens == Some(0) {
            self.hint_after(tenant, self.buckets.wait());
            return;
        }
        let limit = free.min(tokens.unwrap_or(free));
        let claimed = rows::claim(&self.shared.parts.pool, tenant, limit as i64, self.shared.config.lease).await;
        let sends = match claimed {
            Ok(sends) => sends,
            Err(error) => {
                // Perhaps claimed all the same; then the lease runs out and the outcome is unknown.
                tracing::warn!(%tenant, %error, "queued messages wait: they could not be claimed");
                return;
            }
        };
        if let Some(number) = &number {
            self.buckets.take(&number.phone_number_id, sends.len(), Instant::now());
        }
        if sends.len() == limit {
            self.shared.hint(tenant);
        }
        for send in sends {
            // Nobody else takes places, so there is one.
            let place = self.places.clone().try_acquire_owned().ok();
            let held = Hold::new(&self.shared, &self.held, &send, place);
            self.calls.spawn(call::make(self.shared.clone(), send, number.clone(), held));
        }
    }

    fn hint_after(&self, tenant: TenantId, wait: Duration) {
        let shared = self.shared.clone();
        tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            shared.hint(tenant);
        });
    }
}

/// While it lives, the row is kept ours; its end makes room for the chat's next row, however the call ended.
pub(super) struct Hold {
    shared: Arc<Shared>,
    held: Held,
    key: (TenantId, i64),
    fence: i64,
    place: Option<OwnedSemaphorePermit>,
}

impl Hold {
    fn new(shared: &Arc<Shared>, held: &Held, send: &Send, place: Option<OwnedSemaphorePermit>) -> Self {
        let key = (send.tenant(), send.position);
        lock(held).insert(key, send.fence);
        Self { shared: shared.clone(), held: held.clone(), key, fence: send.fence, place }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        {
            let mut held = lock(&self.held);
            if held.get(&self.key) == Some(&self.fence) {
                held.remove(&self.key);
            }
        }
        // The place first: who is woken looks for one.
        drop(self.place.take());
        self.shared.hint(self.key.0);
    }
}

fn lock(held: &Held) -> std::sync::MutexGuard<'_, HashMap<(TenantId, i64), i64>> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}
