//! Follows every tenant's ledger and makes work of its queued messages, and of the files that customers send.
//!
//! The feed only wakes: what counts is the ledger, read from the cursor. A cursor that starts at 0, as after a restore
//! without these tables, makes rows only of what is unsettled at the end of the ledger.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use chatledger_application::ports::{
    Unavailable,
    ledger::{Appended, LedgerError, Recorded},
};
use chatledger_domain::{
    AnyEvent, MediaId, MessageId, Position, TenantId, WaId,
    chat::ChatEvent,
    contact::ContactEvent,
    media::{IncomingFile, MediaEvent},
};
use futures_util::{StreamExt, stream};
use tokio::{
    sync::broadcast::error::{RecvError, TryRecvError},
    time::{MissedTickBehavior, interval},
};

use super::{
    Shared,
    rows::{self, NewFetch, NewSend},
};

/// Events read at once.
const PAGE: i64 = 1_000;
/// Tenants followed at once.
const TENANTS: usize = 8;
/// Appends taken from the feed at once.
const BATCH: usize = 500;
/// A cursor that stands behind only by events of no interest is written after so many of them …
const STRIDE: i64 = 2_000;
/// … or after this long.
const REST: Duration = Duration::from_secs(10);

/// How far one tenant is read.
#[derive(Clone, Copy)]
struct Follow {
    /// The cursor in the database, as far as we know.
    stored: i64,
    /// Up to here there is nothing that the database does not know.
    seen: i64,
    written: Instant,
}

/// Follows until the stop.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut feed = shared.parts.ledger.feed();
    let mut open = true;
    let mut poll = interval(shared.config.poll);
    poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut follows: HashMap<TenantId, Follow> = HashMap::new();
    loop {
        let grown = tokio::select! {
            () = shared.stop.cancelled() => return,
            told = feed.recv(), if open => match told {
                Ok(first) => batch(first, || feed.try_recv()),
                // What was missed is in the ledger.
                Err(RecvError::Lagged(_)) => all(&shared, &follows).await,
                Err(RecvError::Closed) => {
                    open = false;
                    continue;
                }
            },
            _ = poll.tick() => all(&shared, &follows).await,
        };
        let work = grown.into_iter().map(|(tenant, events)| {
            let (shared, follow) = (&shared, follows.get(&tenant).copied());
            async move {
                match follow_one(shared, tenant, follow, events).await {
                    Ok(follow) => (tenant, Some(follow)),
                    Err(error) => {
                        tracing::warn!(%tenant, %error, "queued messages wait: the ledger could not be followed");
                        (tenant, None)
                    }
                }
            }
        });
        let done: Vec<_> = stream::iter(work.collect::<Vec<_>>()).buffer_unordered(TENANTS).collect().await;
        for (tenant, follow) in done {
            // After a fault nothing is known: the next look starts from the cursor.
            match follow {
                Some(follow) => follows.insert(tenant, follow),
                None => follows.remove(&tenant),
            };
        }
    }
}

type Grown = HashMap<TenantId, Vec<Recorded>>;

/// Everything that the feed has now, by tenant.
fn batch(first: Appended, mut next: impl FnMut() -> Result<Appended, TryRecvError>) -> Grown {
    let mut grown = Grown::new();
    let mut appended = Some(first);
    for _ in 0..BATCH {
        let Some(Appended { tenant, events, .. }) = appended else { break };
        grown.entry(tenant).or_default().extend(events.iter().cloned());
        // A lag shows itself again as a hole in the positions.
        appended = next().ok();
    }
    grown
}

/// The tenants whose ledger is ahead of us, and those whose cursor should be written for once.
async fn all(shared: &Shared, follows: &HashMap<TenantId, Follow>) -> Grown {
    match shared.parts.ledger.heads().await {
        Ok(heads) => heads
            .into_iter()
            .filter(|(tenant, head)| {
                follows.get(tenant).is_none_or(|follow| follow.seen < head.0 || follow.is_overdue())
            })
            .map(|(tenant, _)| (tenant, Vec::new()))
            .collect(),
        Err(error) => {
            tracing::warn!(%error, "queued messages wait: the ledger cannot be read");
            Grown::new()
        }
    }
}

impl Follow {
    fn is_overdue(&self) -> bool {
        self.seen - self.stored >= STRIDE || (self.seen > self.stored && self.written.elapsed() > REST)
    }
}

/// What a stretch of the ledger means for the rows.
#[derive(Default)]
pub(super) struct Changes {
    /// Messages to be sent.
    pub(super) queued: Vec<NewSend>,
    /// Messages whose unknown outcome is known now.
    pub(super) settled: Vec<MessageId>,
    /// Files to be fetched.
    pub(super) files: Vec<NewFetch>,
    /// Customers that were forgotten, and the position of each: what was queued before is not sent.
    pub(super) erased: Vec<(String, i64)>,
    /// Files that were forgotten.
    pub(super) erased_files: Vec<MediaId>,
}

async fn follow_one(
    shared: &Shared,
    tenant: TenantId,
    follow: Option<Follow>,
    events: Vec<Recorded>,
) -> Result<Follow, Fault> {
    let pool = &shared.parts.pool;
    let mut told = Some(events);
    let mut follow = match follow {
        Some(follow) => follow,
        None => Follow::at(rows::cursor(pool, tenant).await?),
    };
    loop {
        let mut changes = Changes::default();
        let (mut seen, mut reading) = (follow.seen, false);
        let events = told.take().unwrap_or_default();
        let known = events.iter().skip_while(|event| event.position.0 <= seen);
        // The feed is enough when it goes on where we are.
        if known.clone().zip(seen + 1..).all(|(event, expected)| event.position.0 == expected) {
            seen = known.fold(seen, |_, event| changes.take(event));
        }
        while seen == follow.seen || reading {
            reading = true;
            let page = shared.parts.ledger.read(tenant, Position(seen), PAGE).await?;
            seen = page.iter().fold(seen, |_, event| changes.take(event));
            // Up to the end, so that what is settled later on is not queued.
            if page.len() < PAGE as usize {
                break;
            }
        }
        follow.seen = seen;
        if changes.are_none() && !follow.is_overdue() {
            return Ok(follow);
        }
        if rows::advance(pool, tenant, (follow.stored, seen), &changes).await? {
            if !(changes.queued.is_empty() && changes.settled.is_empty()) {
                shared.hint(tenant);
            }
            return Ok(Follow::at(seen));
        }
        // Another server was faster; go on from where it left off.
        follow = Follow::at(rows::cursor(pool, tenant).await?);
    }
}

impl Follow {
    fn at(position: i64) -> Self {
        Self { stored: position, seen: position, written: Instant::now() }
    }
}

impl Changes {
    fn are_none(&self) -> bool {
        let is_nothing = self.queued.is_empty() && self.settled.is_empty() && self.files.is_empty();
        is_nothing && self.erased.is_empty() && self.erased_files.is_empty()
    }

    /// Takes in one event; gives back its position.
    fn take(&mut self, recorded: &Recorded) -> i64 {
        match &recorded.event {
            AnyEvent::Chat(event) => {
                self.take_chat(event, recorded);
                self.take_file(event, recorded);
            }
            AnyEvent::Media(MediaEvent::MediaStored(_) | MediaEvent::MediaFetchFailed(_)) => {
                let media = &recorded.stream.aggregate_id;
                self.files.retain(|file| file.media_id.to_string() != *media);
            }
            AnyEvent::Media(MediaEvent::MediaErased(_)) => {
                if let Ok(media) = recorded.stream.aggregate_id.parse() {
                    self.files.retain(|file| file.media_id != media);
                    self.erased_files.push(media);
                }
            }
            AnyEvent::Contact(ContactEvent::ContactErased(_)) => {
                let wa_id = &recorded.stream.aggregate_id;
                self.queued.retain(|send| send.wa_id != *wa_id);
                self.erased.push((wa_id.clone(), recorded.position.0));
            }
            _ => {}
        }
        recorded.position.0
    }

    fn take_file(&mut self, event: &ChatEvent, recorded: &Recorded) {
        let Some(file) = IncomingFile::of(event) else { return };
        let media_id = MediaId::of_waba(recorded.tenant, &file.waba_id);
        if !self.files.iter().any(|known| known.media_id == media_id) {
            self.files.push(NewFetch {
                media_id,
                position: recorded.position.0,
                wa_id: recorded.stream.aggregate_id.clone(),
                file,
                queued_at: recorded.occurred_at,
            });
        }
    }

    fn take_chat(&mut self, event: &ChatEvent, recorded: &Recorded) {
        match event {
            ChatEvent::MessageQueued(queued) => {
                if WaId::parse(&recorded.stream.aggregate_id).is_err() {
                    tracing::error!(
                        position = recorded.position.0,
                        "a chat without a WhatsApp id cannot be written to"
                    );
                    return;
                }
                self.queued.push(NewSend {
                    position: recorded.position.0,
                    wa_id: recorded.stream.aggregate_id.clone(),
                    message_id: queued.message_id,
                    context: queued.context.clone(),
                    letter: queued.message.clone(),
                    queued_at: recorded.occurred_at,
                });
            }
            ChatEvent::MessageAccepted(accepted) => {
                let known = self.forget(accepted.message_id);
                // With an answer it came from a worker, which sees to its row itself.
                if !known && accepted.response.is_none() {
                    self.settled.push(accepted.message_id);
                }
            }
            ChatEvent::MessageRejected(rejected) => {
                self.forget(rejected.message_id);
            }
            ChatEvent::MessageOutcomeUnknown(unknown) => {
                self.forget(unknown.message_id);
            }
            _ => {}
        }
    }

    /// Drops a message that was queued and settled within the same stretch.
    fn forget(&mut self, message: MessageId) -> bool {
        let before = self.queued.len();
        self.queued.retain(|send| send.message_id != message);
        self.queued.len() < before
    }
}

/// Why a ledger could not be followed.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Rows(#[from] Unavailable),
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self::Rows(Unavailable::new("the sender's table", error))
    }
}
