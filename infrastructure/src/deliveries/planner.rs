//! What must be delivered to whom, as rows: follows one tenant's ledger, which is the outbox (R-OUT-7).
//!
//! Rows and cursor are written in one transaction, under the fence of whoever holds the tenant. They may be lost
//! together with a crash of the database; then they are made again, with the same ids.
//!
//! A message that is sent is told with what WhatsApp made of it: its row waits without a body until the outcome is
//! known, or its patience is over and [`Planner::bodies_now`] is asked.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use chatledger_application::{
    ports::{
        Unavailable,
        bodies::{Bodies, Body, BodyOrder, Parts as Told},
        directory::Directory,
        ledger::{Ledger, LedgerError, Recorded},
        read_models::ReadModels,
        subscribers::Subscribers,
    },
    pushes::{Audience, Listener, News, Push, PushFault, PushReader, pushes_of},
};
use chatledger_domain::{
    AnyEvent, MessageId, Position, TenantId, WaId, chat::ChatEvent, contact::ContactEvent, user::UserEvent,
    webhook::WebhookEvent,
};
use chrono::Utc;
use sqlx::PgPool;
use uuid::Uuid;

use super::{
    delivery::{Delivery, Key, Planned, Released},
    plan_rows,
};

/// The largest body, bytes (R-OUT-1).
const LARGEST: usize = 1_048_576;
/// How long a message waits for its outcome before it is told without.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// Bodies made at once.
const AT_ONCE: usize = 500;
/// A cursor that stands behind only by events that nobody is told of is written after so many of them …
const STRIDE: i64 = 2_000;
/// … or after this long.
const REST: Duration = Duration::from_secs(10);

/// What planners work with.
pub struct PlannerParts {
    /// Where the rows are.
    pub pool: PgPool,
    /// What happened.
    pub ledger: Arc<dyn Ledger>,
    /// Who has what now.
    pub read_models: Arc<dyn ReadModels>,
    /// Who wants to be told.
    pub subscribers: Arc<dyn Subscribers>,
    /// The tenants' settings.
    pub directory: Arc<dyn Directory>,
    /// The words.
    pub bodies: Arc<dyn Bodies>,
}

/// A delivery with what its row holds besides.
pub(super) struct NewRow {
    pub(super) delivery: Delivery,
    pub(super) keys: Vec<&'static str>,
    /// The message whose outcome it waits for.
    pub(super) awaits: Option<MessageId>,
    /// What a 2xx marks as received: the newest incoming message of each chat, POSIX seconds.
    pub(super) marks: Vec<(String, i64)>,
}

/// Why nothing could be planned. The planner goes on from where it is stored.
#[derive(Debug, thiserror::Error)]
pub enum PlanFault {
    /// The ledger or the read models.
    #[error(transparent)]
    Pushes(#[from] PushFault),
    /// The database, or what the bodies are made of.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// Another server holds the tenant now.
    #[error("another server holds the tenant's deliveries")]
    Lost,
}

impl From<LedgerError> for PlanFault {
    fn from(error: LedgerError) -> Self {
        Self::Pushes(error.into())
    }
}

/// Plans the deliveries of one tenant, for as long as this server holds it.
pub struct Planner {
    parts: Arc<PlannerParts>,
    tenant: TenantId,
    fence: i64,
    reader: PushReader,
    /// The receivers as of where the reader stands; `None` to look again.
    audience: Option<Audience>,
    stored: Position,
    written: Instant,
}

impl Planner {
    /// Goes on from the cursor of a tenant that is held under a fence.
    #[must_use]
    pub fn new(parts: Arc<PlannerParts>, tenant: TenantId, fence: i64, cursor: Position) -> Self {
        let reader = PushReader::new(tenant, cursor, parts.ledger.clone(), parts.read_models.clone());
        Self { parts, tenant, fence, reader, audience: None, stored: cursor, written: Instant::now() }
    }

    /// Up to where the ledger was read.
    #[must_use]
    pub fn seen(&self) -> Position {
        self.reader.seen()
    }

    /// Plans the next stretch. `told` may hold what the feed told; call again until `is_last`.
    ///
    /// # Errors
    /// Nothing is stored then, and the next call begins where the cursor stands.
    pub async fn next(&mut self, told: Vec<Recorded>) -> Result<Planned, PlanFault> {
        let planned = self.plan(told).await;
        if planned.is_err() {
            let parts = &self.parts;
            self.reader = PushReader::new(self.tenant, self.stored, parts.ledger.clone(), parts.read_models.clone());
            self.audience = None;
        }
        planned
    }

    async fn plan(&mut self, told: Vec<Recorded>) -> Result<Planned, PlanFault> {
        let from = self.reader.seen();
        let page = self.reader.next(told).await?;
        if self.audience.is_none() {
            self.audience = Some(self.look_at_audience(from).await?);
        }
        let told = self.listeners(&page.pushes, &page.events).await?;
        let outcomes = outcomes(&page.events);
        let mut rows = Vec::new();
        for chunk in told.chunks(AT_ONCE) {
            rows.extend(self.rows(chunk, &outcomes).await?);
        }
        let elsewhere = known_elsewhere(&outcomes, &page.pushes);
        let waiting = plan_rows::waiting(&self.parts.pool, self.tenant, &elsewhere).await?;
        let mut released = self.bodies_of(&waiting).await?;
        let is_due = page.upto.0 - self.stored.0 >= STRIDE || self.written.elapsed() >= REST;
        let erased = erased(&page.events);
        let is_nothing = rows.is_empty() && released.is_empty() && erased.is_empty();
        if page.upto > self.stored && (!is_nothing || is_due) {
            let held = (self.tenant, self.fence, Some(page.upto));
            let stored = plan_rows::store(&self.parts.pool, held, &rows, &released, &erased).await?;
            released = stored.ok_or(PlanFault::Lost)?;
            (self.stored, self.written) = (page.upto, Instant::now());
        }
        if page.events.iter().any(changes_users) {
            self.audience = None;
        }
        let deliveries = rows.into_iter().map(|row| row.delivery).collect();
        Ok(Planned { deliveries, released, erased, is_last: page.is_last })
    }

    /// The bodies of deliveries whose patience is over, as they are now; those that have theirs already are left out.
    ///
    /// # Errors
    /// As [`Planner::next`].
    pub async fn bodies_now(&mut self, waiting: &[Key]) -> Result<Vec<Released>, PlanFault> {
        if self.audience.is_none() {
            self.audience = Some(self.look_at_audience(self.reader.seen()).await?);
        }
        let released = self.bodies_of(waiting).await?;
        if released.is_empty() {
            return Ok(released);
        }
        let stored = plan_rows::store(&self.parts.pool, (self.tenant, self.fence, None), &[], &released, &[]).await?;
        stored.ok_or(PlanFault::Lost)
    }

    /// The receivers as they were at a position; those of users that are not active now are left out for good.
    async fn look_at_audience(&self, at: Position) -> Result<Audience, PlanFault> {
        let mut audience = Audience::default();
        let webhooks = self.parts.subscribers.webhooks(self.tenant).await?;
        let streams = webhooks.iter().map(|webhook| (webhook.stream(), 0)).collect::<Vec<_>>();
        if !streams.is_empty() {
            let events = self.parts.ledger.load(self.tenant, &streams).await?;
            events.iter().filter(|event| event.position <= at).for_each(|event| audience.take(event));
        }
        let active = webhooks.iter().filter(|webhook| webhook.is_active).map(|webhook| webhook.user);
        audience.keep_users(&active.collect());
        Ok(audience)
    }

    /// Who is told of each push, with the receivers as they were at its place.
    async fn listeners<'p>(
        &mut self,
        pushes: &'p [Push],
        events: &[Recorded],
    ) -> Result<Vec<(&'p Push, Listener)>, PlanFault> {
        let (parts, tenant) = (self.parts.clone(), self.tenant);
        let Some(audience) = &mut self.audience else { return Ok(Vec::new()) };
        if audience.is_empty() && !events.iter().any(|event| matches!(event.event, AnyEvent::Webhook(_))) {
            return Ok(Vec::new());
        }
        let entry = parts.directory.by_id(tenant).await?;
        audience.legacy = entry.is_some_and(|entry| entry.settings.legacy_tagging_payloads);
        for task in audience.unknown_tasks(pushes.iter()) {
            if let Some(sender) = parts.subscribers.bulk_sender(tenant, task).await? {
                audience.sent_by(task, sender);
            }
        }
        let (mut listeners, mut changes) = (Vec::new(), events.iter().peekable());
        for push in pushes {
            // A bulk message's own event tells who sends it.
            while let Some(event) = changes.next_if(|event| event.position <= push.position) {
                audience.take(event);
            }
            listeners.extend(audience.of(push).into_iter().map(|listener| (push, listener)));
        }
        changes.for_each(|event| audience.take(event));
        Ok(listeners)
    }

    async fn rows(&self, told: &[(&Push, Listener)], outcomes: &HashSet<MessageId>) -> Result<Vec<NewRow>, PlanFault> {
        let waits = |push: &Push| queued(push).filter(|message| !outcomes.contains(message));
        let now = told.iter().filter(|(push, _)| waits(push).is_none());
        let orders = now.map(|(push, listener)| BodyOrder {
            pushes: vec![*push],
            reader: Some(listener.user),
            parts: listener.parts.clone(),
        });
        let mut made = self.parts.bodies.pieces(&orders.collect::<Vec<_>>(), LARGEST).await?.into_iter();
        let (mut rows, mut kept) = (Vec::new(), HashMap::new());
        for (push, listener) in told {
            if let Some(message) = waits(push) {
                let delivery = self.delivery(push, listener, 0, None);
                let (keys, awaits) = (vec!["outgoing_messages"], Some(message));
                rows.push(NewRow { delivery, keys, awaits, marks: Vec::new() });
                continue;
            }
            for (piece, Body { text, keys, marks }) in (0..).zip(made.next().unwrap_or_default()) {
                let body = self.body(&mut kept, text);
                let delivery = self.delivery(push, listener, piece, Some(body));
                rows.push(NewRow { delivery, keys, awaits: None, marks });
            }
        }
        Ok(rows)
    }

    /// A body under its id, once for all who are told the same.
    fn body(&self, kept: &mut HashMap<Uuid, Arc<str>>, text: String) -> (Uuid, Arc<str>) {
        let id = Uuid::new_v5(&self.tenant.0, text.as_bytes());
        (id, kept.entry(id).or_insert_with(|| text.into()).clone())
    }

    fn delivery(&self, push: &Push, listener: &Listener, piece: i16, body: Option<(Uuid, Arc<str>)>) -> Delivery {
        let name = format!("{}:{}:{piece}", listener.receiver, push.id);
        let patience = if body.is_some() { Duration::ZERO } else { PATIENCE };
        let (body_id, body) = body.unzip();
        Delivery {
            key: Key { receiver: listener.receiver, position: push.position.0, part: push.part, piece },
            id: Uuid::new_v5(&self.tenant.0, name.as_bytes()),
            wa_ids: listener.chats.clone(),
            body_id,
            body,
            attempts: 0,
            not_before: Utc::now() + patience,
        }
    }

    /// The bodies of deliveries that waited, from the event that they tell of.
    async fn bodies_of(&self, waiting: &[Key]) -> Result<Vec<Released>, PlanFault> {
        let mut pushes: HashMap<i64, Push> = HashMap::new();
        for key in waiting {
            if !pushes.contains_key(&key.position)
                && let Some(event) = self.parts.ledger.at(self.tenant, Position(key.position)).await?
            {
                let told = pushes_of(&[event]).into_iter().find(|push| push.news == News::Outgoing);
                pushes.extend(told.map(|push| (key.position, push)));
            }
        }
        let found = waiting.iter().filter_map(|key| Some((*key, pushes.get(&key.position)?)));
        let found = found.collect::<Vec<_>>();
        let orders = found.iter().map(|(key, push)| BodyOrder {
            pushes: vec![*push],
            reader: self.audience.as_ref().and_then(|audience| audience.user_of(key.receiver)),
            parts: Told { own: true, ..Told::default() },
        });
        let made = self.parts.bodies.make(&orders.collect::<Vec<_>>()).await?;
        let (mut released, mut kept) = (Vec::new(), HashMap::new());
        for ((key, _), made) in found.into_iter().zip(made) {
            let Some(made) = made else { continue };
            let (body_id, body) = self.body(&mut kept, made.text);
            released.push(Released { key, body_id, body });
        }
        Ok(released)
    }
}

/// The message that a push tells was queued.
fn queued(push: &Push) -> Option<MessageId> {
    push.events.iter().find_map(|recorded| match &recorded.event {
        AnyEvent::Chat(ChatEvent::MessageQueued(e)) if push.news == News::Outgoing => Some(e.message_id),
        _ => None,
    })
}

/// The messages whose outcome some events tell.
fn outcomes(events: &[Recorded]) -> HashSet<MessageId> {
    let told = events.iter().filter_map(|recorded| match &recorded.event {
        AnyEvent::Chat(ChatEvent::MessageAccepted(e)) => Some(e.message_id),
        AnyEvent::Chat(ChatEvent::MessageRejected(e)) => Some(e.message_id),
        AnyEvent::Chat(ChatEvent::MessageOutcomeUnknown(e)) => Some(e.message_id),
        _ => None,
    });
    told.collect()
}

/// The customers that were forgotten.
fn erased(events: &[Recorded]) -> Vec<WaId> {
    let erased =
        events.iter().filter(|recorded| matches!(recorded.event, AnyEvent::Contact(ContactEvent::ContactErased(_))));
    erased.filter_map(|recorded| WaId::parse(&recorded.stream.aggregate_id).ok()).collect()
}

/// Outcomes of messages that were queued before these pushes.
fn known_elsewhere(outcomes: &HashSet<MessageId>, pushes: &[Push]) -> Vec<MessageId> {
    let here = pushes.iter().filter_map(queued).collect::<HashSet<_>>();
    outcomes.difference(&here).copied().collect()
}

/// Whether somebody's access may have begun or ended by an event.
fn changes_users(recorded: &Recorded) -> bool {
    matches!(
        recorded.event,
        AnyEvent::User(UserEvent::UserDeactivated(_)) | AnyEvent::Webhook(WebhookEvent::WebhookRegistered(_))
    )
}
