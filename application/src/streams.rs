//! Loads aggregates, lets them decide, appends what they decided: the one way in which anything changes.
//!
//! Work on a stream is queued within the process (a hot chat does not spin), the sequence check of the append guards
//! against other servers, and a lost race is decided again on the new state, a bounded number of times (R-CST-3).

use std::{
    any::Any,
    collections::{BTreeSet, HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use chatledger_domain::{AnyEvent, Decider, Position, TenantId, chat::Chat, contact::Contact};
use chrono::{DateTime, Utc};
use moka::sync::Cache;
use tokio::sync::{Mutex, MutexGuard};

pub use crate::decisions::Decisions;
use crate::{
    decisions::Working,
    error::ApplicationError,
    loading::{Loaded, Loader},
    ports::ledger::{AppendError, Cause, Ledger, Metadata, Recorded, Snapshot, StreamId, Unit},
};

/// How often a decision is made again after somebody else was faster.
const ATTEMPTS: usize = 5;
/// A stream is snapshotted each time it has grown by so many events.
const SNAPSHOT_EVERY: i64 = 256;
/// Aggregates kept in memory.
const CACHED: u64 = 50_000;
/// Queues that streams are spread over; many, so that calls with fifty customers each seldom meet.
const STRIPES: usize = 65_536;

type State = Arc<dyn Any + Send + Sync>;

/// An aggregate's state after the event of this sequence.
#[derive(Clone)]
pub(crate) struct Baseline {
    pub(crate) sequence: i64,
    state: State,
}

impl Baseline {
    /// The state, where it is of this type.
    pub(crate) fn state<D: Aggregate>(&self) -> Option<D> {
        self.state.downcast_ref::<D>().cloned()
    }

    /// Puts another state in its place.
    pub(crate) fn set<D: Aggregate>(&mut self, state: D) {
        self.state = Arc::new(state);
    }
}

/// Reads and extends streams.
pub struct Streams {
    ledger: Arc<dyn Ledger>,
    loader: Loader,
    baselines: Cache<(TenantId, StreamId), Baseline>,
    stripes: Vec<Mutex<()>>,
}

/// A stream to be loaded, with the type of its aggregate.
#[derive(Clone)]
pub struct StreamOf {
    pub(crate) id: StreamId,
    fresh: fn() -> State,
    restore: fn(&Snapshot) -> Option<State>,
    evolve: fn(&State, &[Recorded]) -> State,
    snapshot: fn(&State, i64) -> Option<Snapshot>,
}

impl StreamOf {
    /// The stream of an aggregate.
    #[must_use]
    pub fn new<D: Aggregate>(id: &str) -> Self {
        Self {
            id: StreamId { aggregate_type: D::TYPE, aggregate_id: id.to_owned() },
            fresh: || Arc::new(D::default()),
            restore: |snapshot| {
                let state: D = serde_json::from_str(&snapshot.state).ok()?;
                (snapshot.form == D::FORM).then(|| Arc::new(state) as State)
            },
            evolve: |state, events| {
                let mut next = state.downcast_ref::<D>().cloned().unwrap_or_default();
                for recorded in events {
                    if let Some(event) = D::event_of(&recorded.event) {
                        next.evolve(event, recorded.position);
                    }
                }
                Arc::new(next)
            },
            snapshot: |state, sequence| {
                let state = serde_json::to_string(state.downcast_ref::<D>()?).ok()?;
                Some(Snapshot { sequence, form: D::FORM.to_owned(), state })
            },
        }
    }
}

impl StreamOf {
    /// Before the first event.
    pub(crate) fn fresh(&self) -> Baseline {
        Baseline { sequence: 0, state: (self.fresh)() }
    }

    /// As of a snapshot; `None` when it has another form.
    pub(crate) fn restore(&self, snapshot: &Snapshot) -> Option<Baseline> {
        Some(Baseline { sequence: snapshot.sequence, state: (self.restore)(snapshot)? })
    }

    /// After these events.
    pub(crate) fn evolve(&self, from: &Baseline, events: &[Recorded]) -> Baseline {
        let Some(last) = events.last() else { return from.clone() };
        Baseline { sequence: last.sequence, state: (self.evolve)(&from.state, events) }
    }
}

/// A decider whose events are events of the ledger.
pub trait Aggregate: Decider {
    /// Changes whenever the state's own form changes, so that old snapshots are ignored.
    const FORM: &'static str;
    /// The event, if it is one of this aggregate.
    fn event_of(event: &AnyEvent) -> Option<&Self::Event>;
    /// The event as one of the ledger.
    fn any(event: Self::Event) -> AnyEvent;
}

macro_rules! aggregates {
    ($($variant:ident: $state:ty, $form:literal);+ $(;)?) => {
        $(impl Aggregate for $state {
            const FORM: &'static str = $form;

            fn event_of(event: &AnyEvent) -> Option<&Self::Event> {
                match event {
                    AnyEvent::$variant(event) => Some(event),
                    _ => None,
                }
            }

            fn any(event: Self::Event) -> AnyEvent {
                AnyEvent::$variant(event)
            }
        })+
    };
}

aggregates! {
    Admins: chatledger_domain::admins::Admins, "1";
    BusinessProfile: chatledger_domain::business_profile::BusinessProfile, "1";
    ApiToken: chatledger_domain::api_token::ApiToken, "1";
    BulkMessage: chatledger_domain::bulk_message::BulkMessage, "2";
    Chat: chatledger_domain::chat::Chat, "5";
    Contact: chatledger_domain::contact::Contact, "4";
    Group: chatledger_domain::group::Group, "3";
    Media: chatledger_domain::media::Media, "2";
    RuleEngine: chatledger_domain::rule_engine::RuleEngine, "2";
    SavedResponse: chatledger_domain::saved_response::SavedResponse, "1";
    Tag: chatledger_domain::tag::Tag, "1";
    TemplateCatalogue: chatledger_domain::template_catalogue::TemplateCatalogue, "1";
    Tenant: chatledger_domain::tenant::Tenant, "2";
    User: chatledger_domain::user::User, "2";
    Webhook: chatledger_domain::webhook::WebhookSubscription, "2";
    WhatsAppAccount: chatledger_domain::whatsapp_account::WhatsAppAccount, "2";
}

/// What a piece of work came to.
pub struct Done<T> {
    /// What the work answered.
    pub value: T,
    /// What was recorded; nothing for a repeat.
    pub recorded: Vec<Recorded>,
}

impl<T> Done<T> {
    /// The last recorded position; `None` when nothing was.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        self.recorded.last().map(|recorded| recorded.position)
    }
}

impl Streams {
    /// Works on a ledger.
    #[must_use]
    pub fn new(ledger: Arc<dyn Ledger>) -> Self {
        let stripes = (0..STRIPES).map(|_| Mutex::new(())).collect();
        Self { loader: Loader::new(ledger.clone()), ledger, baselines: Cache::new(CACHED), stripes }
    }

    /// Loads the streams, lets `work` decide, appends what it decided as one unit.
    ///
    /// `work` may run several times: facts recorded already are left out, and what is refused or needs no event
    /// by the state in memory is decided again by the ledger's, for no append would notice that another server went on.
    ///
    /// # Errors
    /// What `work` refused, or the ledger's fault; `NoUserYet` where it refused nothing and nobody is there to have done it.
    pub async fn transact<T, E>(
        &self,
        tenant: TenantId,
        streams: &[StreamOf],
        metadata: &Arc<Metadata>,
        now: DateTime<Utc>,
        mut work: impl FnMut(&mut Decisions<'_>) -> Result<T, E>,
    ) -> Result<Done<T>, ApplicationError>
    where
        ApplicationError: From<E>,
    {
        let _queue = self.queue(tenant, streams).await;
        let mut recorded_already = HashSet::new();
        let mut lost = 0;
        let mut is_fresh = !streams.iter().any(|stream| self.baselines.contains_key(&(tenant, stream.id.clone())));
        loop {
            let loaded = self.load(tenant, streams, is_fresh).await?;
            let mut decisions = Decisions::on(loaded, &recorded_already, now);
            let worked = work(&mut decisions);
            let relies_on = decisions.relied_on();
            let (loaded, events) = decisions.into_parts();
            let value = match worked {
                Ok(value) if !events.is_empty() => value,
                nothing if is_fresh => return Ok(Done { value: nothing?, recorded: Vec::new() }),
                _ => {
                    is_fresh = true;
                    continue;
                }
            };
            if metadata.actor == Cause::NOBODY {
                return Err(ApplicationError::NoUserYet);
            }
            match self.ledger.append(Unit { tenant, events, relies_on, metadata: metadata.clone() }).await {
                Ok(recorded) => {
                    self.remember(tenant, loaded, &recorded);
                    return Ok(Done { value, recorded });
                }
                Err(AppendError::Repeated(keys)) => {
                    let before = recorded_already.len();
                    recorded_already.extend(keys);
                    // A repeat was recorded by somebody else, perhaps in another process: look at the streams again.
                    self.forget(tenant, streams);
                    lost += usize::from(recorded_already.len() == before);
                }
                Err(AppendError::Conflict(_)) => {
                    self.forget(tenant, streams);
                    lost += 1;
                }
                Err(error) => {
                    self.forget(tenant, streams);
                    return Err(error.into());
                }
            }
            if lost >= ATTEMPTS {
                return Err(ApplicationError::Conflict);
            }
        }
    }

    /// The state of one aggregate, as recorded.
    ///
    /// # Errors
    /// The ledger's fault.
    pub async fn state<D: Aggregate>(&self, tenant: TenantId, id: &str) -> Result<D, ApplicationError> {
        let stream = StreamOf::new::<D>(id);
        let loaded = self.load(tenant, std::slice::from_ref(&stream), true).await?;
        Ok(loaded.first().and_then(|w| w.now.state::<D>()).unwrap_or_default())
    }

    async fn queue(&self, tenant: TenantId, streams: &[StreamOf]) -> Vec<MutexGuard<'_, ()>> {
        // By id alone, so that a contact and its chat wait in one queue; in order, so that nobody waits in a circle.
        let stripes: BTreeSet<usize> = streams.iter().map(|s| stripe(tenant, &s.id.aggregate_id)).collect();
        let mut guards = Vec::with_capacity(stripes.len());
        for stripe in stripes {
            guards.push(self.stripes[stripe].lock().await);
        }
        guards
    }

    /// Loads what is not in memory and, if asked, reads on what is.
    async fn load(
        &self,
        tenant: TenantId,
        streams: &[StreamOf],
        read_on: bool,
    ) -> Result<Vec<Working>, ApplicationError> {
        let mut working: Vec<Working> = Vec::with_capacity(streams.len());
        let (mut missing, mut known): (Vec<usize>, Vec<usize>) = (Vec::new(), Vec::new());
        for stream in streams {
            let cached = self.baselines.get(&(tenant, stream.id.clone()));
            if cached.is_some() { &mut known } else { &mut missing }.push(working.len());
            let before = cached.unwrap_or_else(|| stream.fresh());
            working.push(Working { stream: stream.clone(), now: before.clone(), before });
        }
        let mut read = Vec::new();
        if !missing.is_empty() {
            let wanted: Vec<StreamOf> = missing.iter().map(|index| working[*index].stream.clone()).collect();
            read.extend(missing.into_iter().zip(self.loader.load(tenant, &wanted).await?));
        }
        if read_on && !known.is_empty() {
            let from: Vec<_> = known.iter().map(|i| (working[*i].stream.clone(), working[*i].before.clone())).collect();
            read.extend(known.into_iter().zip(self.loader.read_on(tenant, &from).await?));
        }
        for (index, Loaded { baseline, read }) in read {
            let w = &mut working[index];
            w.before = baseline.clone();
            w.now = baseline;
            self.baselines.insert((tenant, w.stream.id.clone()), w.before.clone());
            self.snapshot_if_due(tenant, w, w.before.sequence - i64::try_from(read).unwrap_or(0));
        }
        Ok(working)
    }

    fn remember(&self, tenant: TenantId, worked: Vec<Working>, recorded: &[Recorded]) {
        let mut by_stream: HashMap<&StreamId, Vec<Recorded>> = HashMap::new();
        for event in recorded {
            by_stream.entry(&event.stream).or_default().push(event.clone());
        }
        for mut w in worked {
            let Some(own) = by_stream.remove(&w.stream.id) else { continue };
            let since = w.before.sequence;
            w.before = w.stream.evolve(&w.before, &own);
            self.baselines.insert((tenant, w.stream.id.clone()), w.before.clone());
            self.snapshot_if_due(tenant, &w, since);
        }
    }

    fn snapshot_if_due(&self, tenant: TenantId, w: &Working, since: i64) {
        if w.before.sequence / SNAPSHOT_EVERY == since / SNAPSHOT_EVERY {
            return;
        }
        if let Some(snapshot) = (w.stream.snapshot)(&w.before.state, w.before.sequence) {
            let (ledger, stream) = (self.ledger.clone(), w.stream.id.clone());
            tokio::spawn(async move { ledger.keep_snapshot(tenant, stream, snapshot).await });
        }
    }

    /// Drops what is remembered of a contact, and of whatever else was forgotten with it.
    pub(crate) fn forget_contact(&self, tenant: TenantId, wa_id: &str) {
        self.forget(tenant, &[StreamOf::new::<Contact>(wa_id), StreamOf::new::<Chat>(wa_id)]);
    }

    /// Drops everything that is remembered.
    pub(crate) fn forget_all(&self) {
        self.baselines.invalidate_all();
    }

    fn forget(&self, tenant: TenantId, streams: &[StreamOf]) {
        for stream in streams {
            self.baselines.invalidate(&(tenant, stream.id.clone()));
        }
    }
}

fn stripe(tenant: TenantId, id: &str) -> usize {
    let mut hasher = DefaultHasher::new();
    (tenant, id).hash(&mut hasher);
    usize::try_from(hasher.finish() % STRIPES as u64).unwrap_or(0)
}
