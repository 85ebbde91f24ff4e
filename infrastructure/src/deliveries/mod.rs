//! Outgoing webhooks: what is due to whom, the calls that carry it, and what came of them (R-OUT-*).
//!
//! One server at a time holds a tenant's deliveries (`leases`). For each tenant that it holds, `line` asks the planner
//! (`plan`) for new rows, keeps those that are due in `lanes`, and begins an `attempt` for each that may go;
//! `completions` writes what came of them, many at once; `keeper` does what is due now and then; `log` shows people
//! what became of deliveries.
//!
//! Never here: who is told what, and in which words.

mod attempt;
mod breaker;
pub mod caller;
mod completions;
pub mod delivery;
mod forget;
mod keeper;
mod lanes;
mod limits;
mod line;
mod log;
mod plan;
mod plan_rows;
pub mod planner;
mod rows;
mod schedule;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use chatledger_application::ports::{
    clock::{Clock, Random},
    delivery_effects::DeliveryEffects,
    ledger::{Appended, Ledger},
    receivers::Receivers,
};
use chatledger_domain::{Position, TenantId};
use sqlx::PgPool;
use tokio::{
    sync::{Semaphore, broadcast::error::RecvError, mpsc, watch},
    task::JoinHandle,
    time::{MissedTickBehavior, interval, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

pub(crate) use self::forget::forget;
use self::{caller::Caller, completions::Completion, line::Told};
pub use self::{
    limits::Limits,
    log::PgDeliveryLog,
    plan::{Fault, Plan, Planners, Plans},
    schedule::Schedule,
};
use crate::leases::{Held, Leases};

/// What the deliveries are made with.
#[derive(Clone)]
pub struct Parts {
    /// The database.
    pub pool: PgPool,
    /// What happens.
    pub ledger: Arc<dyn Ledger>,
    /// What is due to whom.
    pub plans: Arc<dyn Plans>,
    /// Who is called, and where.
    pub receivers: Arc<dyn Receivers>,
    /// The way out.
    pub caller: Arc<Caller>,
    /// What follows from deliveries.
    pub effects: Arc<dyn DeliveryEffects>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance, for the pauses between attempts.
    pub random: Arc<dyn Random>,
}

/// How deliveries are made.
#[derive(Clone, Debug)]
pub struct DeliveriesConfig {
    /// Attempts at once, over all tenants and receivers.
    pub parallel: usize,
    /// Of these, those that deliveries which failed more than once may have.
    pub late: usize,
    /// What each tenant's lanes are allowed.
    pub limits: Limits,
    /// The pauses between attempts.
    pub schedule: Schedule,
    /// A webhook that has only failed for so long is disabled.
    pub disable_after: Duration,
    /// How long delivered rows are kept.
    pub keep_delivered: Duration,
    /// How long a tenant is ours without a sign of life.
    pub lease: Duration,
    /// How long a stop waits for attempts under way.
    pub grace: Duration,
}

impl Default for DeliveriesConfig {
    fn default() -> Self {
        Self {
            parallel: 256,
            late: 192,
            limits: Limits::default(),
            schedule: Schedule::default(),
            disable_after: Duration::from_secs(120 * 3_600),
            keep_delivered: Duration::from_secs(24 * 3_600),
            lease: Duration::from_secs(15),
            // An attempt takes 12 s at most.
            grace: Duration::from_secs(13),
        }
    }
}

/// What all tasks share.
struct Shared {
    parts: Parts,
    config: DeliveriesConfig,
    places: Arc<Semaphore>,
    late: Arc<Semaphore>,
    attempts: TaskTracker,
    completions: mpsc::UnboundedSender<Completion>,
    held: Mutex<HashMap<TenantId, Line>>,
}

/// A tenant that is ours.
struct Line {
    fence: i64,
    until: watch::Sender<Instant>,
    told: Arc<Told>,
    stop: CancellationToken,
    seen: Position,
}

impl Shared {
    fn lines(&self) -> std::sync::MutexGuard<'_, HashMap<TenantId, Line>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The tenants that are ours at this moment.
    fn held_now(&self) -> Vec<Uuid> {
        let now = Instant::now();
        self.lines().iter().filter(|(_, line)| *line.until.borrow() > now).map(|(tenant, _)| tenant.0).collect()
    }
}

/// The running reactor.
pub struct Deliveries {
    stop: CancellationToken,
    finish: CancellationToken,
    leases: Leases,
    shared: Arc<Shared>,
    follow: JoinHandle<()>,
    keep: JoinHandle<()>,
    write: JoinHandle<()>,
}

impl Deliveries {
    /// Starts. When it returns it has looked at the database once: what is recorded from now on is told.
    pub async fn start(parts: Parts, config: DeliveriesConfig) -> Self {
        let (completions, queue) = mpsc::unbounded_channel();
        let (stop, finish) = (CancellationToken::new(), CancellationToken::new());
        let leases = Leases::new(parts.pool.clone(), rows::REACTOR, config.lease);
        let write = tokio::spawn(completions::run(parts.pool.clone(), queue, finish.clone()));
        let shared = Arc::new(Shared {
            places: Arc::new(Semaphore::new(config.parallel)),
            late: Arc::new(Semaphore::new(config.late)),
            attempts: TaskTracker::new(),
            held: Mutex::default(),
            completions,
            parts,
            config,
        });
        let feed = shared.parts.ledger.feed();
        renew(&shared, &leases, &stop).await;
        let keep = tokio::spawn(keeper::run(shared.clone()));
        let follow = tokio::spawn(follow(shared.clone(), leases.clone(), feed, stop.clone()));
        Self { stop, finish, leases, shared, follow, keep, write }
    }

    /// Stops: no new attempts; those under way are finished and written, within the grace. Then others may take over.
    pub async fn stop(self) {
        self.stop.cancel();
        let _ = self.follow.await;
        self.shared.attempts.close();
        if timeout(self.shared.config.grace, self.shared.attempts.wait()).await.is_err() {
            tracing::warn!(
                attempts = self.shared.attempts.len(),
                "stopped with deliveries under way; they are repeated"
            );
        }
        self.finish.cancel();
        let _ = timeout(Duration::from_secs(2), self.write).await;
        self.keep.abort();
        self.leases.release().await;
    }
}

/// Renews the leases, and hands on what the feed tells.
async fn follow(
    shared: Arc<Shared>,
    leases: Leases,
    mut feed: tokio::sync::broadcast::Receiver<Appended>,
    stop: CancellationToken,
) {
    let (mut beat, mut poll) = (interval(shared.config.lease / 5), interval(Duration::from_millis(500)));
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut open, mut soon) = (true, false);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            told = feed.recv(), if open => match told {
                Ok(appended) => {
                    // Perhaps a new tenant; the next look takes it. Only once: who is told all the time of a tenant that
                    // is another's would put the look off for ever.
                    if !tell(&shared, &appended) && !std::mem::replace(&mut soon, true) {
                        beat.reset_after(Duration::from_millis(100));
                    }
                }
                Err(RecvError::Lagged(_)) => look(&shared).await,
                Err(RecvError::Closed) => open = false,
            },
            _ = beat.tick() => {
                renew(&shared, &leases, &stop).await;
                soon = false;
            }
            _ = poll.tick() => look(&shared).await,
        }
    }
}

/// Whether the tenant is ours.
fn tell(shared: &Shared, appended: &Appended) -> bool {
    let mut lines = shared.lines();
    let Some(line) = lines.get_mut(&appended.tenant) else { return false };
    line.seen = line.seen.max(appended.head);
    line.told.tell(&appended.events);
    true
}

/// Finds what nobody told.
async fn look(shared: &Shared) {
    let Ok(heads) = shared.parts.ledger.heads().await else { return };
    let mut lines = shared.lines();
    for (tenant, head) in heads {
        if let Some(line) = lines.get_mut(&tenant)
            && line.seen < head
        {
            line.seen = head;
            line.told.tell(&[]);
        }
    }
}

async fn renew(shared: &Arc<Shared>, leases: &Leases, stop: &CancellationToken) {
    let heads = match shared.parts.ledger.heads().await {
        Ok(heads) => heads,
        Err(error) => return tracing::warn!(%error, "deliveries wait: the ledger cannot be read"),
    };
    let held = match leases.renew(&heads).await {
        Ok(held) => held,
        Err(error) => return tracing::warn!(%error, "deliveries may wait: the leases are not renewed"),
    };
    let mut lines = shared.lines();
    let mut before = std::mem::take(&mut *lines);
    for held in held {
        let line = match before.remove(&held.tenant) {
            Some(line) if line.fence == held.fence => {
                line.until.send_replace(held.until);
                line
            }
            other => {
                other.into_iter().for_each(|line| line.stop.cancel());
                begin(shared, held, stop.child_token())
            }
        };
        lines.insert(held.tenant, line);
    }
    before.into_values().for_each(|line| line.stop.cancel());
}

fn begin(shared: &Arc<Shared>, held: Held, stop: CancellationToken) -> Line {
    let (until, told) = (watch::Sender::new(held.until), Arc::new(Told::default()));
    tokio::spawn(line::run(shared.clone(), held, until.subscribe(), told.clone(), stop.clone()));
    Line { fence: held.fence, until, told, stop, seen: held.position }
}
