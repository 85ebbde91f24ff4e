//! The rule engine at work: follows each tenant's ledger, has what happens there decided by the tenant's rules or by a
//! program of its own, and carries out what was decided (R-RUL-*).
//!
//! One server at a time follows a tenant. Its cursor stands before the first trigger that is not finished, so a crash
//! repeats some and loses none; a repeat changes nothing, because a chat is assigned once per trigger, for ever.

mod ask;
mod follow;
mod lanes;
#[cfg(test)]
mod tests;
mod work;

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use chatledger_application::{
    Application,
    ports::{
        Unavailable,
        bodies::Bodies,
        ledger::{Appended, Ledger},
        read_models::ReadModels,
    },
};
use chatledger_domain::{Position, TenantId};
use sqlx::PgPool;
use tokio::{
    sync::{broadcast::error::RecvError, mpsc, watch},
    task::JoinHandle,
    time::{MissedTickBehavior, interval, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    deliveries::caller::Caller,
    leases::{Held, Leases},
};

/// How long a server may be silent before another follows its tenants.
const LEASE: Duration = Duration::from_secs(15);
/// How often leases are renewed and ledgers looked at for which no signal came.
const RENEW: Duration = Duration::from_secs(3);
/// Signals that wait for a follower; what does not fit is read from the ledger.
const SIGNALS: usize = 64;
/// How long a stop waits for the followers.
const GRACE: Duration = Duration::from_secs(5);

/// What the reactor works with.
#[derive(Clone)]
pub struct Parts {
    /// The database.
    pub pool: PgPool,
    /// Where triggers come from.
    pub ledger: Arc<dyn Ledger>,
    /// What the bodies show.
    pub read_models: Arc<dyn ReadModels>,
    /// Decides and assigns.
    pub application: Arc<Application>,
    /// Says what happened in the words of the API.
    pub bodies: Arc<dyn Bodies>,
    /// The way to programs of tenants.
    pub caller: Arc<Caller>,
}

/// The running reactor.
pub struct Rules {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Rules {
    /// Starts to follow. Must be called within a Tokio runtime, before requests are let in: what was recorded before
    /// the first start of this reactor is not decided on.
    pub async fn start(parts: Parts) -> Self {
        let stop = CancellationToken::new();
        let leases = Leases::new(parts.pool.clone(), "rules", LEASE);
        let mut followers = Followers { parts, leases, running: HashMap::new() };
        if let Err(error) = followers.renew().await {
            tracing::warn!(%error, "the rule engine waits");
        }
        let task = tokio::spawn(run(followers, stop.clone()));
        Self { stop, task }
    }

    /// Stops; what is not finished is done by another server, or after the next start.
    pub async fn stop(mut self) {
        self.stop.cancel();
        if timeout(GRACE * 2, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}

/// The tenants that this server follows.
struct Followers {
    parts: Parts,
    leases: Leases,
    running: HashMap<TenantId, Follower>,
}

struct Follower {
    fence: i64,
    told: mpsc::Sender<Appended>,
    until: watch::Sender<Instant>,
    /// Everything up to here is finished.
    finished: Arc<AtomicI64>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

async fn run(mut followers: Followers, stop: CancellationToken) {
    let mut feed = followers.parts.ledger.feed();
    let mut open = true;
    let mut renew = interval(RENEW);
    renew.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            told = feed.recv(), if open => match told {
                Ok(appended) => followers.tell(appended),
                // What was missed is found by looking.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => open = false,
            },
            _ = renew.tick() => {
                if let Err(error) = followers.renew().await {
                    tracing::warn!(%error, "the rule engine waits");
                }
            }
        }
    }
    followers.stop().await;
}

impl Followers {
    fn tell(&self, appended: Appended) {
        if let Some(follower) = self.running.get(&appended.tenant) {
            // One that is full has been told to look already.
            let _ = follower.told.try_send(appended);
        }
    }

    /// Follows the tenants that are ours now, and no others.
    async fn renew(&mut self) -> Result<(), Unavailable> {
        let heads = self.parts.ledger.heads().await.map_err(|error| Unavailable::new("the ledger", error))?;
        let held = self.leases.renew(&heads).await?;
        let ours: HashMap<TenantId, Held> = held.into_iter().map(|held| (held.tenant, held)).collect();
        self.running.retain(|tenant, follower| {
            let is_ours = ours.get(tenant).is_some_and(|held| held.fence == follower.fence);
            if !is_ours {
                follower.stop.cancel();
            }
            is_ours && !follower.task.is_finished()
        });
        for held in ours.into_values() {
            match self.running.get(&held.tenant) {
                Some(follower) => drop(follower.until.send_replace(held.until)),
                None => drop(self.running.insert(held.tenant, Follower::start(&self.parts, held))),
            }
        }
        let mut lag = 0;
        for (tenant, head) in heads {
            if let Some(follower) = self.running.get(&tenant) {
                lag = lag.max(head.0 - follower.finished.load(Ordering::Relaxed));
                self.tell(Appended { tenant, head, events: Arc::new([]) });
            }
        }
        metrics::gauge!("chatledger_rule_engine_lag_events").set(f64::from(u32::try_from(lag).unwrap_or(u32::MAX)));
        Ok(())
    }

    async fn stop(self) {
        self.running.values().for_each(|follower| follower.stop.cancel());
        let tasks = futures_util::future::join_all(self.running.into_values().map(|follower| follower.task));
        if timeout(GRACE, tasks).await.is_err() {
            tracing::debug!("what the rule engine has not finished is repeated");
        }
        self.leases.release().await;
    }
}

impl Follower {
    fn start(parts: &Parts, held: Held) -> Self {
        let (told, signals) = mpsc::channel(SIGNALS);
        let (until, lease) = watch::channel(held.until);
        let finished = Arc::new(AtomicI64::new(held.position.0));
        let stop = CancellationToken::new();
        let following = follow::Following {
            parts: parts.clone(),
            tenant: held.tenant,
            fence: held.fence,
            from: held.position,
            lease,
            finished: finished.clone(),
            stop: stop.clone(),
        };
        let task = tokio::spawn(following.run(signals));
        Self { fence: held.fence, told, until, finished, stop, task }
    }
}

/// Moves a tenant's cursor; whether it is still ours to move.
async fn advance(pool: &PgPool, tenant: TenantId, fence: i64, to: Position) -> Result<bool, Unavailable> {
    let sql = "UPDATE outbound.cursors SET position = greatest(position, $3) \
               WHERE tenant_id = $1 AND reactor = 'rules' AND fence = $2";
    let moved = sqlx::query(sql).bind(tenant.0).bind(fence).bind(to.0).execute(pool).await;
    Ok(moved.map_err(|error| Unavailable::new("the reactor's cursor", error))?.rows_affected() == 1)
}
