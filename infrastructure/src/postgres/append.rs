//! The lane of a tenant: collects the units that are waiting and appends them as one group, so that the locked head
//! costs one round trip for all of them.

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use chatledger_application::ports::ledger::{AppendError, Appended, Recorded};
use chatledger_domain::{Position, TenantId};
use chrono::{DateTime, Utc};
use sqlx::{PgPool, Postgres, pool::PoolConnection};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, broadcast, mpsc, oneshot},
    time::{Instant, timeout, timeout_at},
};

use super::{
    feed::Growth,
    group::{self, Head, Outcome},
    hash,
    prepare::Prepared,
};

/// The most units of one group.
const MAX_UNITS: usize = 500;
/// The most events of one group of several units.
const MAX_EVENTS: usize = 2_000;
/// The most bytes of one group of several units.
const MAX_BYTES: usize = 4 << 20;
/// How long a busy lane waits for company.
const WINDOW: Duration = Duration::from_millis(2);
/// How long an idle lane keeps its connection: giving it back and taking it again costs a round trip.
const KEEP: Duration = Duration::from_millis(20);
/// After this long without work a lane ends.
const IDLE: Duration = Duration::from_secs(60);
/// How long the database may take for a group.
const WRITE_LIMIT: Duration = Duration::from_secs(4);

/// What all lanes share.
pub(super) struct Core {
    pub(super) pool: PgPool,
    pub(super) feed: broadcast::Sender<Appended>,
    pub(super) growth: Growth,
    /// Bounds the connections that lanes hold at once: more lanes than cores only cost.
    pub(super) writing: Arc<Semaphore>,
}

/// A unit and who waits for it.
pub(super) struct Job {
    pub(super) unit: Prepared,
    pub(super) answer: oneshot::Sender<Result<Vec<Recorded>, AppendError>>,
}

/// Runs a lane until nobody can send to it any more, or nobody has for long.
pub(super) async fn run(core: Arc<Core>, tenant: TenantId, mut queue: mpsc::Receiver<Job>) {
    let mut lane = Lane { core, tenant, head: Head::EMPTY, connection: None };
    let mut waiting = VecDeque::new();
    let mut last = 0;
    loop {
        if waiting.is_empty() {
            let soon = timeout(KEEP, queue.recv()).await;
            let next = match soon {
                Ok(next) => Ok(next),
                Err(_) => {
                    lane.connection = None;
                    timeout(IDLE, queue.recv()).await
                }
            };
            match next {
                Ok(Some(job)) => waiting.push_back(job),
                Ok(None) => return,
                // Whoever sends from now on gets the unit back and makes a new lane.
                Err(_) => queue.close(),
            }
        }
        gather(&mut queue, &mut waiting, last).await;
        let group = pick(&mut waiting);
        last = group.len();
        lane.write(group).await;
    }
}

/// Takes what is there. A lane whose last group had company waits a little for as much again.
async fn gather(queue: &mut mpsc::Receiver<Job>, waiting: &mut VecDeque<Job>, last: usize) {
    while waiting.len() < MAX_UNITS
        && let Ok(job) = queue.try_recv()
    {
        waiting.push_back(job);
    }
    if last > 1 && waiting.len() < last {
        let until = Instant::now() + WINDOW;
        while waiting.len() < last
            && let Ok(Some(job)) = timeout_at(until, queue.recv()).await
        {
            waiting.push_back(job);
        }
    }
}

/// The next group. Of units that touch the same thing only the first goes; the others get a verdict in a later group.
fn pick(waiting: &mut VecDeque<Job>) -> Vec<Job> {
    let mut group = Vec::with_capacity(waiting.len().min(MAX_UNITS));
    let mut later = VecDeque::new();
    let mut touched = HashSet::new();
    let (mut events, mut bytes) = (0, 0);
    while let Some(job) = waiting.pop_front() {
        if job.answer.is_closed() {
            continue;
        }
        let full = group.len() == MAX_UNITS
            || !group.is_empty() && (events + job.unit.events.len() > MAX_EVENTS || bytes + job.unit.bytes > MAX_BYTES);
        if full {
            waiting.push_front(job);
            break;
        }
        let alone = job.unit.touched.iter().all(|thing| !touched.contains(thing));
        touched.extend(job.unit.touched.iter().copied());
        if alone {
            events += job.unit.events.len();
            bytes += job.unit.bytes;
            group.push(job);
        } else {
            later.push_back(job);
        }
    }
    later.append(waiting);
    *waiting = later;
    group
}

struct Lane {
    core: Arc<Core>,
    tenant: TenantId,
    /// As far as known; another server may have moved it.
    head: Head,
    connection: Option<(OwnedSemaphorePermit, PoolConnection<Postgres>)>,
}

impl Lane {
    /// Writes a group and answers everybody in it.
    async fn write(&mut self, group: Vec<Job>) {
        let mut parts = vec![group];
        while let Some(mut jobs) = parts.pop() {
            // Whoever has given up is not written for: nothing was promised.
            jobs.retain(|job| !job.answer.is_closed());
            if jobs.is_empty() {
                continue;
            }
            let recorded_at = hash::to_micros(Utc::now());
            match self.attempt(&jobs, recorded_at).await {
                Ok(Outcome::Written(head)) => self.answer(jobs, head, recorded_at),
                Ok(Outcome::Stale(head)) => {
                    self.head = head;
                    parts.push(jobs);
                }
                Ok(Outcome::Refused(verdicts)) => {
                    for (index, verdict) in verdicts.into_iter().rev() {
                        let _ = jobs.remove(index).answer.send(Err(verdict));
                    }
                    parts.push(jobs);
                }
                Err(Fault::Again) => parts.push(jobs),
                // One of them cannot be written; halving finds it, and the others are written.
                Err(Fault::Data(_)) if jobs.len() > 1 => {
                    parts.push(jobs.split_off(jobs.len() / 2));
                    parts.push(jobs);
                }
                Err(Fault::Data(error)) if is_anothers(&error) => fail(jobs, anothers, &error),
                Err(Fault::Data(error)) => fail(jobs, AppendError::Refused, &error),
                Err(Fault::Lost(error)) => {
                    tracing::warn!(tenant = %self.tenant, %error, "an append got no answer");
                    self.head = Head::EMPTY;
                    for jobs in std::iter::once(jobs).chain(parts.drain(..)) {
                        fail(jobs, AppendError::Unavailable, &error);
                    }
                }
            }
        }
    }

    async fn attempt(&mut self, jobs: &[Job], recorded_at: DateTime<Utc>) -> Result<Outcome, Fault> {
        let (permit, mut connection) = match self.connection.take() {
            Some(kept) => kept,
            None => {
                let permit = self.core.writing.clone().acquire_owned().await;
                let permit = permit.map_err(|_| Fault::lost(sqlx::Error::PoolClosed))?;
                (permit, self.core.pool.acquire().await.map_err(Fault::lost)?)
            }
        };
        let units: Vec<&Prepared> = jobs.iter().map(|job| &job.unit).collect();
        let append = group::append(&mut connection, self.tenant, self.head, recorded_at, &units);
        match timeout(WRITE_LIMIT, append).await {
            Ok(Ok(outcome)) => {
                // Unless another tenant's lane waits for its turn.
                if self.core.writing.available_permits() > 0 {
                    self.connection = Some((permit, connection));
                }
                Ok(outcome)
            }
            Ok(Err(error)) => Err(Fault::of(error)),
            Err(_) => {
                // It is in the middle of something: whoever used it next would wait for that.
                drop(connection.detach());
                Err(Fault::lost(sqlx::Error::PoolTimedOut))
            }
        }
    }

    fn answer(&mut self, jobs: Vec<Job>, head: Head, recorded_at: DateTime<Utc>) {
        let mut position = self.head.position;
        self.head = head;
        let written = head.position - position;
        metrics::counter!("chatledger_events_appended_total").increment(written.unsigned_abs());
        metrics::histogram!("chatledger_append_group_units").record(jobs.len() as f64);
        let told = self.core.feed.receiver_count() > 0;
        let mut all = Vec::with_capacity(if told { written as usize } else { 0 });
        let mut answers = Vec::with_capacity(jobs.len());
        for Job { unit, answer } in jobs {
            let metadata = unit.metadata;
            let events: Vec<Recorded> = (unit.events.into_iter())
                .map(|event| {
                    position += 1;
                    Recorded {
                        tenant: self.tenant,
                        position: Position(position),
                        stream: event.stream,
                        sequence: event.sequence,
                        event: event.event,
                        metadata: metadata.clone(),
                        occurred_at: event.occurred_at,
                        recorded_at,
                    }
                })
                .collect();
            if told {
                all.extend_from_slice(&events);
            }
            answers.push((answer, events));
        }
        let head = Position(head.position);
        // Before the answers, so that whoever waits for a projection finds it woken.
        let _ = self.core.feed.send(Appended { tenant: self.tenant, head, events: all.into() });
        self.core.growth.add(self.tenant, head);
        for (answer, events) in answers {
            let _ = answer.send(Ok(events));
        }
    }
}

fn fail(
    jobs: Vec<Job>,
    verdict: fn(Box<dyn std::error::Error + Send + Sync>) -> AppendError,
    error: &Arc<sqlx::Error>,
) {
    for job in jobs {
        let _ = job.answer.send(Err(verdict(Box::new(error.clone()))));
    }
}

/// Whether a number is claimed that another tenant has: the one name that is claimed across tenants.
fn is_anothers(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(error) if error.constraint() == Some("numbers_one_holder"))
}

fn anothers(source: Box<dyn std::error::Error + Send + Sync>) -> AppendError {
    AppendError::Claimed(source.to_string())
}

/// What a failed append means for the units in it.
enum Fault {
    /// Certainly not written, for a reason that passes.
    Again,
    /// Certainly not written: the database refuses the data.
    Data(Arc<sqlx::Error>),
    /// Perhaps written.
    Lost(Arc<sqlx::Error>),
}

impl Fault {
    fn lost(error: sqlx::Error) -> Self {
        Self::Lost(Arc::new(error))
    }

    fn of(error: sqlx::Error) -> Self {
        let code = match &error {
            sqlx::Error::Database(error) => error.code().unwrap_or_default().into_owned(),
            sqlx::Error::Encode(_) => return Self::Data(Arc::new(error)),
            _ => return Self::lost(error),
        };
        match code.as_str() {
            // A serialisation failure or a deadlock.
            "40001" | "40P01" => Self::Again,
            // A broken constraint, a value that is no text or no number, or one too large or too deep.
            code if ["22", "23", "54"].contains(&code.get(..2).unwrap_or_default()) => Self::Data(Arc::new(error)),
            _ => Self::lost(error),
        }
    }
}
