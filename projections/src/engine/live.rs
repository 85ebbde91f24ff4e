//! The live engine: one task per tenant, woken by the feed, by other servers through the heads, and by a clock.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use chatledger_application::ports::ledger::{Ledger, LedgerError, Recorded};
use chatledger_domain::{AnyEvent, Position, TenantId};
use sqlx::PgPool;
use tokio::sync::{Semaphore, broadcast::error::RecvError};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    ALL, Projection, Watch,
    batch::{self, Outcome},
    cursor::{self, Cursors},
    poison,
    queue::{Chunk, Queue},
};

/// How often the metrics are told what is parked and what other code has built.
const LOOK: Duration = Duration::from_secs(5);

/// How the engine works; the default is right for a server.
#[derive(Clone, Debug)]
pub struct Options {
    /// At most so many events in a transaction.
    pub page: i64,
    /// How often the heads are looked at, whatever the feed says.
    pub poll: Duration,
    /// At most so many tenants are applied to at a time; each takes a connection.
    pub parallel: usize,
    /// How long an event that this program cannot read may hold up its ledger before its stream is parked: a server of
    /// a newer version may be about to fold it.
    pub patience: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { page: 2_000, poll: Duration::from_millis(400), parallel: 4, patience: Duration::from_secs(30) }
    }
}

/// Applies the ledger of every tenant to the read models.
#[derive(Debug)]
pub struct Engine;

/// A running engine; dropping it stops the engine too, without waiting.
#[derive(Debug)]
pub struct EngineHandle {
    watch: Watch,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl EngineHandle {
    /// How far this process has applied.
    #[must_use]
    pub fn watch(&self) -> Watch {
        self.watch.clone()
    }

    /// Stops after the batches at hand.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for EngineHandle {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Engine {
    /// Starts applying, in tasks of its own.
    #[must_use]
    pub fn start(pool: PgPool, ledger: Arc<dyn Ledger>, options: Options) -> EngineHandle {
        let (watch, stop, tasks) = (Watch::default(), CancellationToken::new(), TaskTracker::new());
        watch.begin();
        let shared = Arc::new(Shared {
            permits: Semaphore::new(options.parallel.max(1)),
            queues: Mutex::default(),
            watch: watch.clone(),
            stop: stop.clone(),
            tasks: tasks.clone(),
            pool,
            ledger,
            options,
        });
        tasks.spawn(listen(shared.clone()));
        tasks.spawn(poll(shared));
        EngineHandle { watch, stop, tasks }
    }
}

struct Shared {
    pool: PgPool,
    ledger: Arc<dyn Ledger>,
    options: Options,
    watch: Watch,
    stop: CancellationToken,
    tasks: TaskTracker,
    permits: Semaphore,
    queues: Mutex<HashMap<TenantId, Arc<Queue>>>,
}

impl Shared {
    /// The tenant's queue; its task is started with it.
    fn queue(self: &Arc<Self>, tenant: TenantId) -> Arc<Queue> {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = queues.entry(tenant).or_insert_with(|| {
            let queue = Arc::new(Queue::default());
            self.tasks.spawn(follow(self.clone(), tenant, queue.clone()));
            queue
        });
        queue.clone()
    }

    /// Lets go of tenants that are deleted: one that comes under the same id begins anew.
    fn forget_others(&self, heads: &[(TenantId, Position)]) {
        let known: HashSet<TenantId> = heads.iter().map(|(tenant, _)| *tenant).collect();
        self.queues.lock().unwrap_or_else(PoisonError::into_inner).retain(|tenant, queue| {
            let is_there = known.contains(tenant);
            if !is_there {
                queue.gone.cancel();
                self.watch.forget(*tenant);
            }
            is_there
        });
    }

    fn tell_lag(&self) {
        let mut worst = vec![0; ALL.len()];
        for queue in self.queues.lock().unwrap_or_else(PoisonError::into_inner).values() {
            for (worst, lag) in worst.iter_mut().zip(queue.lags()) {
                *worst = lag.max(*worst);
            }
        }
        for (projection, lag) in ALL.iter().zip(worst) {
            #[allow(clippy::cast_precision_loss)]
            metrics::gauge!("chatledger_projection_lag_events", "projection" => projection.name()).set(lag as f64);
        }
    }
}

async fn listen(shared: Arc<Shared>) {
    let mut feed = shared.ledger.feed();
    loop {
        let news = tokio::select! {
            () = shared.stop.cancelled() => return,
            news = feed.recv() => news,
        };
        match news {
            Ok(appended) => shared.queue(appended.tenant).push(appended),
            // What was missed is found by the clock.
            Err(RecvError::Lagged(missed)) => tracing::debug!(missed, "the feed was faster than the read models"),
            Err(RecvError::Closed) => return,
        }
    }
}

async fn poll(shared: Arc<Shared>) {
    let mut clock = tokio::time::interval(shared.options.poll);
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut looked: Option<Instant> = None;
    loop {
        tokio::select! {
            () = shared.stop.cancelled() => return,
            _ = clock.tick() => {}
        }
        if looked.is_none_or(|looked| looked.elapsed() > LOOK) {
            looked = Some(Instant::now());
            if let Err(error) = cursor::tell(&shared.pool).await {
                tracing::debug!(%error, "how the read models are cannot be told");
            }
        }
        match shared.ledger.heads().await {
            Ok(heads) => {
                shared.forget_others(&heads);
                for (tenant, head) in heads {
                    shared.queue(tenant).raise(head.0);
                }
                shared.tell_lag();
            }
            Err(error) => tracing::warn!(%error, "the heads of the ledgers cannot be read"),
        }
    }
}

async fn follow(shared: Arc<Shared>, tenant: TenantId, queue: Arc<Queue>) {
    const PAUSES: [u64; 5] = [50, 200, 500, 1_000, 2_000];
    let (mut at, mut faults) = (At::default(), 0_usize);
    loop {
        tokio::select! {
            biased;
            () = shared.stop.cancelled() => return,
            () = queue.gone.cancelled() => return,
            () = queue.wake.notified() => {}
        }
        loop {
            let pause = match step(&shared, tenant, &queue, &mut at).await {
                Ok(Step::More) => Duration::ZERO,
                Ok(Step::Done) => break,
                Err(error) => {
                    tracing::warn!(%error, tenant = %tenant, "the read models cannot be brought up to date");
                    metrics::counter!("chatledger_projection_faults_total").increment(1);
                    Duration::from_millis(PAUSES[faults.min(PAUSES.len() - 1)])
                }
            };
            faults = if pause.is_zero() { 0 } else { faults + 1 };
            tokio::select! {
                biased;
                () = shared.stop.cancelled() => return,
                () = queue.gone.cancelled() => return,
                () = tokio::time::sleep(pause), if !pause.is_zero() => {}
                () = std::future::ready(()), if pause.is_zero() => {}
            }
        }
    }
}

enum Step {
    More,
    Done,
}

type Fault = Box<dyn std::error::Error + Send + Sync>;

/// Where a tenant's task is.
#[derive(Default)]
struct At {
    /// Read again after a fault.
    cursors: Option<Cursors>,
    /// Whether those that keep up had the last turn.
    near_had_it: bool,
    /// Before which events that cannot be read somebody stands, and since when.
    stuck: HashMap<i64, Instant>,
}

impl At {
    /// Whose turn it is, and where they stand. Those that keep up have the first, and every other one while somebody is
    /// far behind: one that replays a whole ledger neither holds up the others nor waits for ever.
    fn turn(&mut self, known: &Cursors, head: i64) -> Option<(Vec<usize>, i64)> {
        let [near, far] = known.groups().map(|group| {
            let from = known.lowest(&group).filter(|from| *from < head)?;
            Some((group.into_iter().filter(|at| known.positions[*at] == from).collect(), from))
        });
        self.near_had_it = near.is_some() && (far.is_none() || !self.near_had_it);
        if self.near_had_it { near } else { far }
    }
}

/// Applies the next batch to the projections that are furthest behind among those whose turn it is.
async fn step(shared: &Shared, tenant: TenantId, queue: &Queue, at: &mut At) -> Result<Step, Fault> {
    let _permit = shared.permits.acquire().await?;
    let mut known = match at.cursors.take() {
        Some(known) => known,
        None => {
            let known = Cursors::load(&mut *shared.pool.acquire().await?, tenant).await?;
            told(shared, tenant, queue, &known);
            known
        }
    };
    let Some((behind, from)) = at.turn(&known, queue.head()) else {
        at.cursors = Some(known);
        return Ok(Step::Done);
    };
    // Those behind catch up exactly to the next ones, to go on together.
    let ceiling = known.positions.iter().copied().filter(|position| *position > from).min().unwrap_or(i64::MAX);
    let limit = shared.options.page.min(ceiling - from);
    let projections: Vec<&'static dyn Projection> = behind.iter().map(|of| ALL[*of]).collect();
    let mut chunks = queue.take(from, limit);
    if chunks.is_empty() {
        match shared.ledger.read(tenant, Position(from), limit).await {
            Ok(events) => chunks.push(Chunk::from(events)),
            Err(LedgerError::Unreadable { position, .. }) if position.0 > from + 1 => {
                // What comes before it can be read.
                let before = position.0 - from - 1;
                chunks.push(Chunk::from(shared.ledger.read(tenant, Position(from), before).await?));
            }
            Err(error @ LedgerError::Unreadable { .. }) => {
                at.stuck.retain(|from, _| known.positions.contains(from));
                let since = at.stuck.entry(from).or_insert_with(Instant::now);
                if since.elapsed() >= shared.options.patience {
                    poison::unreadable(&shared.pool, tenant, &projections, from, &chain(&error)).await?;
                    return Ok(Step::More);
                }
                return Err(error.into());
            }
            Err(error) => return Err(error.into()),
        }
    }
    let events: Vec<&Recorded> = chunks.iter().flat_map(Chunk::events).collect();
    let Some(last) = events.last() else { return Ok(Step::Done) };
    if events[0].position.0 != from + 1 || last.position.0 - from != i64::try_from(events.len())? {
        return Err(format!("the ledger has a hole after position {from}").into());
    }
    match batch::apply(&shared.pool, tenant, &projections, from, &events).await? {
        Outcome::Applied => {
            for of in behind {
                known.positions[of] = last.position.0;
            }
            told(shared, tenant, queue, &known);
            at.cursors = Some(known);
        }
        Outcome::Moved => {}
    }
    for projection in projections {
        metrics::counter!("chatledger_projection_events_applied_total", "projection" => projection.name())
            .increment(u64::try_from(events.len()).unwrap_or_default());
    }
    if events.iter().any(|event| matches!(event.event, AnyEvent::Tenant(_) | AnyEvent::WhatsAppAccount(_))) {
        shared.watch.tenant_changed();
    }
    Ok(Step::More)
}

/// An error and what caused it.
fn chain(error: &LedgerError) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("{error}{cause}")
}

fn told(shared: &Shared, tenant: TenantId, queue: &Queue, cursors: &Cursors) {
    queue.reached(&cursors.positions);
    shared.watch.tell(tenant, cursors.passed());
}
