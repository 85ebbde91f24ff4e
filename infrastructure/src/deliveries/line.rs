//! The deliveries of one tenant, for as long as this server holds it: one task, and one more for each attempt.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use chatledger_application::ports::{Unavailable, ledger::Recorded, receivers::Receiver};
use chatledger_domain::{AnyEvent, TenantId};
use chrono::{DateTime, TimeDelta, Utc};
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, mpsc, watch},
    time::{MissedTickBehavior, interval, sleep},
};
use tokio_util::sync::CancellationToken;

use super::{
    Shared,
    attempt::{self, Job},
    completions::Done,
    delivery::{Delivery, Key, Planned},
    lanes::{End, Lanes},
    plan::Plan,
    rows,
    schedule::Verdict,
};
use crate::leases::Held;

/// Rows read at once.
const PAGE: usize = 1_000;
/// Receivers whose rows are read before anything else is looked at.
const RECEIVERS: usize = 16;
/// Attempts begun before anything else is looked at.
const BURST: usize = 64;
/// How often changed rows are looked for.
const LOOK: Duration = Duration::from_secs(2);
/// How often the receivers are looked at without being told.
const REFRESH: Duration = Duration::from_secs(15);
/// How often the planner looks at the ledger without being told.
const POLL: Duration = Duration::from_secs(2);
/// Events kept for the planner; beyond these it reads the ledger.
const TOLD: usize = 5_000;
/// How long the planner may take to make a body.
const PATIENCE: TimeDelta = TimeDelta::seconds(2);

/// What the ledger's feed tells a tenant's tasks.
#[derive(Default)]
pub(super) struct Told {
    events: Mutex<Vec<Recorded>>,
    plan: Notify,
    receivers: Notify,
    is_changed: AtomicBool,
}

impl Told {
    pub(super) fn tell(&self, events: &[Recorded]) {
        let changes = |event: &Recorded| matches!(event.event, AnyEvent::Webhook(_) | AnyEvent::User(_));
        if events.iter().any(changes) {
            self.is_changed.store(true, Ordering::SeqCst);
            self.receivers.notify_one();
        }
        let mut kept = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() > TOLD {
            kept.clear();
        }
        kept.extend_from_slice(events);
        drop(kept);
        self.plan.notify_one();
    }

    fn take(&self) -> Vec<Recorded> {
        std::mem::take(&mut *self.events.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

enum News {
    Planned(Planned),
    /// Something may be stored that was not told.
    Fault,
}

struct Line {
    shared: Arc<Shared>,
    tenant: TenantId,
    fence: i64,
    until: watch::Receiver<Instant>,
    lanes: Lanes,
    receivers: HashMap<i64, Receiver>,
    /// Receivers with deliveries that nobody knows, and how often they were looked for.
    missing: HashMap<i64, u32>,
    done: mpsc::UnboundedSender<Done>,
    asks: mpsc::UnboundedSender<Key>,
}

/// Plans and delivers until the stop.
pub(super) async fn run(
    shared: Arc<Shared>,
    held: Held,
    mut until: watch::Receiver<Instant>,
    told: Arc<Told>,
    stop: CancellationToken,
) {
    let (done, mut ended) = mpsc::unbounded_channel();
    let (asks, asked) = mpsc::unbounded_channel();
    let (tell, mut news) = mpsc::channel(4);
    let mut line = Line {
        tenant: held.tenant,
        fence: held.fence,
        until: until.clone(),
        lanes: Lanes::new(shared.config.limits),
        receivers: HashMap::new(),
        missing: HashMap::new(),
        done,
        asks,
        shared,
    };
    // Before anything is planned, so that what is told later is new.
    while let Err(error) = line.begin().await {
        tracing::warn!(tenant = %held.tenant, %error, "deliveries wait");
        tokio::select! { () = stop.cancelled() => return, () = sleep(Duration::from_secs(1)) => {} }
    }
    let planner = line.shared.parts.plans.plan(&held);
    tokio::spawn(plan(planner, told.clone(), asked, tell, stop.clone()));
    let (mut look, mut refresh) = (interval(LOOK), interval(REFRESH));
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    refresh.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let step = async {
            line.fill().await?;
            line.go().await
        };
        let wait = match step.await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::warn!(tenant = %line.tenant, %error, "deliveries wait");
                Duration::from_secs(1)
            }
        };
        let looked = tokio::select! {
            () = stop.cancelled() => return,
            Some(end) = ended.recv() => {
                line.end(end);
                while let Ok(end) = ended.try_recv() {
                    line.end(end);
                }
                Ok(())
            }
            Some(news) = news.recv() => line.take_in(news).await,
            () = told.receivers.notified() => line.refresh().await,
            _ = refresh.tick() => line.refresh().await,
            _ = look.tick() => line.look().await,
            _ = until.changed() => Ok(()),
            () = sleep(wait) => Ok(()),
        };
        if let Err(error) = looked {
            tracing::warn!(tenant = %line.tenant, %error, "deliveries may wait");
        }
        if told.is_changed.swap(false, Ordering::SeqCst)
            && let Err(error) = line.refresh().await
        {
            tracing::warn!(tenant = %line.tenant, %error, "changed receivers may be called as they were");
        }
    }
}

async fn plan(
    mut planner: Box<dyn Plan>,
    told: Arc<Told>,
    mut asked: mpsc::UnboundedReceiver<Key>,
    tell: mpsc::Sender<News>,
    stop: CancellationToken,
) {
    let mut is_behind = true;
    loop {
        let ask = tokio::select! {
            () = stop.cancelled() => return,
            ask = asked.recv() => ask,
            () = told.plan.notified() => None,
            () = sleep(if is_behind { Duration::ZERO } else { POLL }) => None,
        };
        let planned = match ask {
            Some(key) => {
                let mut all = vec![key];
                while let Ok(next) = asked.try_recv() {
                    all.push(next);
                }
                let released = planner.bodies_now(&all).await;
                released.map(|released| Planned { released, is_last: !is_behind, ..Planned::default() })
            }
            None => planner.next(told.take()).await,
        };
        let news = match planned {
            Ok(planned) => {
                is_behind = !planned.is_last;
                News::Planned(planned)
            }
            Err(error) => {
                tracing::warn!(%error, "deliveries wait: they cannot be planned");
                sleep(Duration::from_millis(500)).await;
                is_behind = true;
                News::Fault
            }
        };
        let is_empty = matches!(&news, News::Planned(planned) if planned.is_nothing());
        if !is_empty && tell.send(news).await.is_err() {
            return;
        }
    }
}

impl Line {
    fn now(&self) -> DateTime<Utc> {
        self.shared.parts.clock.now()
    }

    async fn begin(&mut self) -> Result<(), Unavailable> {
        self.refresh().await?;
        self.reload().await
    }

    /// Looks at the table anew.
    async fn reload(&mut self) -> Result<(), Unavailable> {
        for receiver in rows::receivers_with_pending(&self.shared.parts.pool, self.tenant).await? {
            self.know(receiver);
            self.lanes.reload(receiver);
        }
        Ok(())
    }

    fn know(&mut self, receiver: i64) {
        let known = self.receivers.get(&receiver);
        self.lanes.enable(receiver, known.is_some_and(|receiver| receiver.is_enabled));
        if known.is_none() {
            self.missing.entry(receiver).or_default();
        }
    }

    /// Learns who the receivers are now, and forgets what was for those that are no more.
    async fn refresh(&mut self) -> Result<(), Unavailable> {
        let found = self.shared.parts.receivers.receivers(self.tenant).await?;
        let found: HashMap<i64, Receiver> = found.into_iter().map(|receiver| (receiver.id, receiver)).collect();
        let before = std::mem::replace(&mut self.receivers, found);
        let receivers: Vec<i64> = before.keys().chain(self.receivers.keys()).copied().collect();
        receivers.into_iter().for_each(|receiver| self.know(receiver));
        self.missing.retain(|receiver, _| !self.receivers.contains_key(receiver));
        // One whose address changes at this moment may be missing for once.
        self.missing.values_mut().for_each(|times| *times += 1);
        let gone: Vec<i64> =
            self.missing.iter().filter(|(_, times)| **times > 2).map(|(receiver, _)| *receiver).collect();
        if !gone.is_empty() {
            rows::forget(&self.shared.parts.pool, self.tenant, self.fence, &gone).await?;
            for receiver in gone {
                self.lanes.remove(receiver);
                self.missing.remove(&receiver);
            }
        }
        Ok(())
    }

    /// Finds what others made due again.
    async fn look(&mut self) -> Result<(), Unavailable> {
        let now = self.now();
        for (key, not_before) in rows::brought_forward(&self.shared.parts.pool, self.tenant).await? {
            if !self.lanes.compare(key, not_before, now) {
                self.know(key.receiver);
                self.lanes.reload(key.receiver);
            }
        }
        Ok(())
    }

    async fn take_in(&mut self, news: News) -> Result<(), Unavailable> {
        let News::Planned(planned) = news else { return self.reload().await };
        if planned.deliveries.iter().any(|delivery| !self.receivers.contains_key(&delivery.key.receiver)) {
            self.refresh().await?;
        }
        let now = self.now();
        for delivery in planned.deliveries {
            if !self.receivers.contains_key(&delivery.key.receiver) {
                self.know(delivery.key.receiver);
            }
            self.lanes.push(delivery, now);
        }
        planned.released.into_iter().for_each(|released| self.lanes.release(released, now));
        planned.erased.iter().for_each(|wa_id| self.lanes.forget(wa_id.as_str()));
        Ok(())
    }

    /// Reads more of the table where there is room.
    async fn fill(&mut self) -> Result<(), Unavailable> {
        for (receiver, after) in self.lanes.hungry(RECEIVERS) {
            let page = rows::page(&self.shared.parts.pool, self.tenant, receiver, after, PAGE as i64).await?;
            let is_last = page.len() < PAGE;
            self.lanes.load(receiver, page, is_last, self.now());
        }
        Ok(())
    }

    fn end(&mut self, done: Done) {
        let end = match done.verdict {
            Verdict::Again(at) if done.is_ours => End::Again(at, done.attempts),
            _ => End::Over,
        };
        let is_success = done.verdict == Verdict::Delivered;
        self.lanes.done(done.key, end, Some(is_success), self.now());
    }

    /// Begins what can be begun; how long nothing new is to be expected.
    async fn go(&mut self) -> Result<Duration, Unavailable> {
        let now = self.now();
        self.lanes.wake(now);
        let mut jobs: Vec<(Delivery, Vec<OwnedSemaphorePermit>)> = Vec::new();
        // A server that could not renew its lease must not go on.
        while *self.until.borrow() > Instant::now() && self.lanes.has_turns() && jobs.len() < BURST {
            let Ok(place) = self.shared.places.clone().try_acquire_owned() else { break };
            let late = self.shared.late.clone().try_acquire_owned().ok();
            let Some(delivery) = self.lanes.take(now, late.is_some()) else { break };
            let late = late.filter(|_| delivery.attempts >= super::lanes::EARLY);
            jobs.push((delivery, [Some(place), late].into_iter().flatten().collect()));
        }
        let is_more = self.lanes.has_turns() || !self.lanes.hungry(1).is_empty();
        let is_full = jobs.len() >= BURST;
        self.begin_attempts(jobs, now).await;
        if is_full {
            return Ok(Duration::ZERO);
        }
        let wake = self.lanes.next_wake().and_then(|at| (at - now).to_std().ok());
        let most = if is_more { Duration::from_millis(20) } else { Duration::from_secs(5) };
        Ok(wake.map_or(most, |wake| wake.max(Duration::from_millis(1)).min(most)))
    }

    async fn begin_attempts(&mut self, jobs: Vec<(Delivery, Vec<OwnedSemaphorePermit>)>, now: DateTime<Utc>) {
        let wanted = jobs.iter().filter(|(delivery, _)| delivery.body.is_none());
        let wanted: Vec<_> = wanted.filter_map(|(delivery, _)| delivery.body_id).collect();
        let bodies = match wanted.is_empty() {
            true => Ok(HashMap::new()),
            false => rows::bodies(&self.shared.parts.pool, self.tenant, &wanted).await,
        };
        let is_read = bodies.is_ok();
        let bodies = bodies.unwrap_or_else(|error| {
            tracing::warn!(tenant = %self.tenant, %error, "deliveries wait: their bodies cannot be read");
            HashMap::new()
        });
        for (mut delivery, places) in jobs {
            let body = delivery.body.take().or_else(|| bodies.get(&delivery.body_id?).cloned());
            match (body, self.receivers.get(&delivery.key.receiver)) {
                (Some(body), Some(receiver)) => {
                    let (target, user) = (receiver.target.clone(), receiver.user);
                    let (tenant, fence, done) = (self.tenant, self.fence, self.done.clone());
                    let job = Job { tenant, fence, user, target, delivery, body, places, done };
                    self.shared.attempts.spawn(attempt::make(self.shared.clone(), job));
                }
                // Its body was forgotten with a customer: what there is to deliver now is in the table.
                (None, _) if is_read && delivery.body_id.is_some() => {
                    self.lanes.done(delivery.key, End::Over, None, now);
                    self.know(delivery.key.receiver);
                    self.lanes.reload(delivery.key.receiver);
                }
                _ => {
                    let (key, attempts) = (delivery.key, delivery.attempts);
                    if delivery.body_id.is_none() {
                        let _ = self.asks.send(key);
                    }
                    self.lanes.done(key, End::Again(now + PATIENCE, attempts), None, now);
                }
            }
        }
    }
}
