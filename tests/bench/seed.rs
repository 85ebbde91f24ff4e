//! A ledger as a busy inbox would have left it, written fast: real events, decided by the real rules, appended by the
//! real ledger with its real hashes.
//!
//! So many chats are open at a time; each is talked in for a while (messages both ways with their statuses, marks, tags,
//! assignments, notes in the address book) and then makes room for another. The same seed gives the same events.

// With their paths, so that the tests can take this file in as well.
#[path = "seed/bodies.rs"]
mod bodies;
#[path = "seed/conversation.rs"]
mod conversation;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chatledger_application::ports::ledger::{AppendError, Cause, Ledger, Metadata, NewEvent, Recorded, StreamId, Unit};
use chatledger_domain::{
    Actor, AnyEvent, GroupId, Permissions, Position, Role, TagId, TenantId, UserId,
    chat::TagAsItWas,
    decider::{Decider, Event},
    group::{Group, GroupCommand},
    tag::{Tag, TagCommand},
    tenant::{Tenant, TenantCommand},
    user::{User, UserCommand},
};
use chrono::{DateTime, Utc};
use futures_util::stream::{FuturesUnordered, StreamExt};
use rand::{Rng, SeedableRng, rngs::StdRng};
use uuid::Uuid;

use conversation::Conversation;

/// Events for each chat, on average.
const EVENTS_PER_CHAT: usize = 20;
/// Chats that are talked in at a time.
const OPEN: usize = 2_000;
/// Units on their way to the ledger at a time; fewer than open chats, so that none waits for its own.
const FLYING: usize = 1_000;
/// People and programs of the inbox.
const USERS: usize = 20;
/// Tags of the inbox.
const TAGS: usize = 30;
/// Milliseconds from one unit to the next.
const PACE: i64 = 2_000;

/// Writes at least so many events into the tenant's ledger; how many it has then. An empty ledger gets its tenant and
/// the built-in groups first. A ledger is seeded once, and nobody else may write to it meanwhile.
pub async fn seed(ledger: &dyn Ledger, tenant: TenantId, events: usize) -> i64 {
    let mut inbox = Inbox::furnish(ledger, tenant).await;
    let first = ledger.head(tenant).await.expect("the ledger answers").0;
    let chats = (events / EVENTS_PER_CHAT).max(2);
    let mut talks: Vec<Conversation> = (0..chats).map(Conversation::new).collect();
    let (open, flying) = (OPEN.min(chats), FLYING.min(chats / 2));
    // Those that wait for their next turn; each is either here or on its way to the ledger.
    let mut waiting: Vec<usize> = (0..open).collect();
    let mut fresh = open..chats;
    let mut appends = FuturesUnordered::new();
    let (mut planned, mut written) = (0, first);
    while planned < events || !appends.is_empty() {
        while planned < events && appends.len() < flying {
            let pick = inbox.rng.random_range(0..waiting.len());
            let at = waiting.swap_remove(pick);
            match talks[at].next(&mut inbox) {
                Some(unit) => {
                    planned += unit.events.len();
                    appends.push(async move { (at, append(ledger, unit).await) });
                }
                // All is said: another takes its place, or it begins again.
                None => waiting.push(fresh.next().unwrap_or(at)),
            }
        }
        if let Some((at, recorded)) = appends.next().await {
            written += recorded.len() as i64;
            talks[at].happened(&recorded);
            waiting.push(at);
        }
    }
    written
}

/// Appends a unit, however long the machine is busy with other things: a unit that nobody knows the end of is given again,
/// and read where it was recorded after all.
async fn append(ledger: &dyn Ledger, unit: Unit) -> Vec<Recorded> {
    let mut unsure = false;
    loop {
        match ledger.append(unit.clone()).await {
            Ok(recorded) => return recorded,
            Err(AppendError::Unavailable(_)) => unsure = true,
            Err(AppendError::Conflict(_) | AppendError::Repeated(_) | AppendError::Claimed(_)) if unsure => break,
            Err(error) => panic!("the ledger refuses {unit:?}: {error}"),
        }
    }
    let mut starts: BTreeMap<StreamId, i64> = BTreeMap::new();
    for event in &unit.events {
        starts.entry(event.stream.clone()).or_insert(event.sequence - 1);
    }
    let starts: Vec<(StreamId, i64)> = starts.into_iter().collect();
    ledger.load(unit.tenant, &starts).await.expect("the ledger answers")
}

/// What all conversations share.
struct Inbox {
    tenant: TenantId,
    rng: StdRng,
    now: DateTime<Utc>,
    groups: Vec<GroupId>,
    users: Vec<Arc<Actor>>,
    tags: Vec<TagAsItWas>,
}

impl Inbox {
    /// Creates groups, users and tags, and the tenant where it is not there.
    async fn furnish(ledger: &dyn Ledger, tenant: TenantId) -> Self {
        let (rng, now) = (StdRng::seed_from_u64(7), DateTime::from_timestamp(1_767_693_600, 0).expect("a time"));
        let mut inbox = Self { tenant, rng, now, groups: Vec::new(), users: Vec::new(), tags: Vec::new() };
        if ledger.head(tenant).await.expect("the ledger answers") == Position(0) {
            let create = TenantCommand::Create { slug: "seed".to_owned(), name: "Seed".to_owned(), hosts: Vec::new() };
            inbox.create::<Tenant>(ledger, "tenant", create).await;
            for role in Role::ALL {
                let (name, permissions) = (role.group_name().to_owned(), role.default_permissions());
                inbox.create_group(ledger, name, Some(role), permissions).await;
            }
        }
        for name in ["Sales", "Support", "Returns", "Night shift"] {
            let permissions = Role::User.default_permissions();
            inbox.create_group(ledger, format!("{name} (seed)"), None, permissions).await;
        }
        for index in 0..USERS {
            inbox.create_user(ledger, index).await;
        }
        for index in 0..TAGS {
            let (name, done_by) =
                (format!("seed-{}-{index}", bodies::TAGS[index % bodies::TAGS.len()]), inbox.users[0].user);
            let color = Some("#25d366".to_owned());
            let create = TagCommand::Create { name: name.clone(), web_inbox_color: color.clone(), done_by };
            let stream = inbox.uuid().to_string();
            let position = inbox.create::<Tag>(ledger, &stream, create).await;
            inbox.tags.push(TagAsItWas { id: TagId(position.0), name, web_inbox_color: color });
        }
        inbox
    }

    async fn create_group(&mut self, ledger: &dyn Ledger, name: String, role: Option<Role>, permissions: Permissions) {
        let create = GroupCommand::Create { name, built_in: role, permissions, done_by: None };
        let stream = self.uuid().to_string();
        let position = self.create::<Group>(ledger, &stream, create).await;
        self.groups.push(GroupId(position.0));
    }

    async fn create_user(&mut self, ledger: &dyn Ledger, index: usize) {
        let group = self.groups[index % self.groups.len()];
        let (first, last) = bodies::name(&mut self.rng);
        let (role, groups) = (Role::User, BTreeSet::from([group]));
        let create = UserCommand::Create {
            username: format!("seed.{}.{index}", first.to_lowercase()),
            first_name: first.to_owned(),
            last_name: last.to_owned(),
            email: format!("{}.{index}@inbox.example", first.to_lowercase()),
            role,
            groups: groups.clone(),
            done_by: None,
        };
        let stream = self.uuid().to_string();
        let user = UserId(self.create::<User>(ledger, &stream, create).await.0);
        // Whatever the rules of assignments say: the seed wants all kinds of events from all of them.
        self.users.push(Arc::new(Actor { user, role: Role::Admin, groups, permissions: Permissions::ADMIN }));
    }

    /// Creates something with a stream of its own; its position.
    async fn create<D>(&mut self, ledger: &dyn Ledger, stream: &str, command: D::Command) -> Position
    where
        D: Decider,
        D::Event: Into<AnyEvent>,
    {
        let metadata = self.metadata(Cause::System { part: "set-up".to_owned() }, "system");
        let decided = D::default().decide(command).expect("the rules allow it");
        let stream = StreamId { aggregate_type: D::TYPE, aggregate_id: stream.to_owned() };
        let events = new_events(&stream, 0, decided, self.now);
        let recorded = append(ledger, Unit { tenant: self.tenant, events, relies_on: Vec::new(), metadata }).await;
        recorded.first().map(|recorded| recorded.position).expect("an event")
    }

    fn metadata(&mut self, actor: Cause, family: &str) -> Arc<Metadata> {
        let correlation_id = self.uuid().to_string();
        Arc::new(Metadata { actor, family: family.to_owned(), correlation_id, causation: None })
    }

    fn uuid(&mut self) -> Uuid {
        uuid::Builder::from_random_bytes(self.rng.random()).into_uuid()
    }

    /// Somebody of the inbox.
    fn somebody(&mut self) -> Arc<Actor> {
        let index = self.rng.random_range(0..self.users.len());
        self.users[index].clone()
    }
}

/// What was decided, as events of this stream after the sequence.
fn new_events<E: Event + Into<AnyEvent>>(
    stream: &StreamId,
    sequence: i64,
    decided: Vec<E>,
    occurred_at: DateTime<Utc>,
) -> Vec<NewEvent> {
    let numbered = (sequence + 1..).zip(decided);
    numbered
        .map(|(sequence, event)| NewEvent {
            stream: stream.clone(),
            sequence,
            payload: event.payload().expect("it has a JSON form"),
            key: event.idempotency_key(),
            claims: event.claims(),
            occurred_at,
            event: event.into(),
        })
        .collect()
}
