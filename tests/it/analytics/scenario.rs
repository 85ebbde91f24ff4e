//! An inbox of which every fact is known outside the database as well, so that answers can be computed from the facts.

use std::{sync::Arc, time::Duration};

use chatledger_application::ports::{ledger::Ledger, read_models::ReadModels};
use chatledger_domain::{
    GroupId, MessageId, Position, Role, TagId, TaggingId, TenantId, UserId,
    chat::*,
    contact::{ContactEvent, ContactProfileSeen, ContactUpserted},
    group::{GroupCreated, GroupEvent},
    tag::{TagCreated, TagEvent},
    tenant::{TenantCreated, TenantEvent},
    user::{UserActivated, UserEvent},
};
use chatledger_infrastructure::postgres::PgLedger;
use chatledger_projections::{Engine, Models, Options};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use uuid::Uuid;

use crate::{
    harness::{
        inbox::now,
        postgres::{TestDatabase, database},
    },
    projections::history::{Writer, accepted, json, queued, received, status, user_created},
};

/// Who wrote a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    Customer,
    /// A user, by id.
    User(i64),
    Phone,
}

/// A message.
#[derive(Clone, Debug)]
pub struct Said {
    pub wa_id: String,
    pub at: i64,
    pub position: i64,
    pub by: By,
    pub kind: &'static str,
    pub failed: bool,
    pub delivered: bool,
    pub read: bool,
}

/// A tag put on a chat, or taken away.
#[derive(Clone, Debug)]
pub struct Tagged {
    pub wa_id: String,
    pub at: i64,
    pub position: i64,
    pub added: bool,
    pub tag: &'static str,
    pub by: Option<i64>,
}

/// A chat given to a user, or to nobody.
#[derive(Clone, Debug)]
pub struct Assigned {
    pub wa_id: String,
    pub at: i64,
    pub user: Option<i64>,
}

/// Everything that happened in one inbox, in the order of its ledger.
pub struct Scenario {
    pub said: Vec<Said>,
    pub tagged: Vec<Tagged>,
    pub assigned: Vec<Assigned>,
    /// When chats were resolved.
    pub resolved: Vec<(String, i64)>,
    /// Ids and names; the last is a program.
    pub users: Vec<(i64, &'static str)>,
    /// Customers with the names that people see.
    pub contacts: Vec<(String, String)>,
}

/// A database with two inboxes of such facts, `acme` and `rival`; those of the first.
pub async fn filled() -> (TestDatabase, Scenario) {
    let database = database().await;
    let ledger: Arc<dyn Ledger> = Arc::new(PgLedger::new(database.pool.clone()));
    let engine = Engine::start(database.pool.clone(), ledger.clone(), Options::default());
    let models = Models::new(database.pool.clone(), engine.watch());
    let mut scenarios = Vec::new();
    for (slug, seed) in [("acme", 1), ("rival", 2)] {
        let mut w = Writer::new(ledger.clone(), TenantId::of_slug(slug));
        scenarios.push(play(&mut w, slug, seed).await);
        assert!(models.wait_for(w.tenant, Position(w.head), Duration::from_secs(60)).await, "up to date");
    }
    engine.stop().await;
    (database, scenarios.swap_remove(0))
}

async fn play(w: &mut Writer, slug: &str, seed: u64) -> Scenario {
    let created = TenantCreated { slug: slug.into(), name: slug.to_uppercase(), hosts: vec![] };
    w.add("Tenant", "tenant", TenantEvent::from(created));
    let mut groups = Vec::new();
    for role in Role::ALL {
        let name = role.group_name().to_owned();
        let permissions = role.default_permissions();
        let created = GroupCreated { name: name.clone(), built_in: Some(role), permissions, done_by: None };
        groups.push(w.add("Group", &name, GroupEvent::from(created)));
    }
    let mut users = Vec::new();
    for (name, role) in [("ana", Role::Admin), ("bea", Role::User), ("carl", Role::User), ("robot", Role::App)] {
        users.push((w.add("User", name, user_created(name, role, &groups[..1])), name));
        w.add("User", name, UserEvent::from(UserActivated {}));
    }
    let mut tags = Vec::new();
    for name in ["vip", "billing", "spam"] {
        let created = TagCreated { name: name.into(), web_inbox_color: None, done_by: UserId(users[0].0) };
        tags.push((w.add("Tag", name, TagEvent::from(created)), name));
    }
    let mut contacts = Vec::new();
    for n in 0..12 {
        let wa_id = format!("351912000{n:03}");
        // Every third has shown no name, and every fourth is saved under another.
        let seen = (n % 3 != 0).then(|| format!("Customer {n}"));
        let saved = (n % 4 == 0).then(|| format!("Saved {n}"));
        let profile = ContactProfileSeen { name: seen.clone(), profile: json("{}") };
        w.add("Contact", &wa_id, ContactEvent::from(profile));
        if let Some(name) = saved.clone() {
            let name = Some(name);
            let saved = ContactUpserted { name, phone_numbers: vec![], email_addresses: vec![], done_by: None };
            w.add("Contact", &wa_id, ContactEvent::from(saved));
        }
        let name = saved.or(seen).unwrap_or_else(|| wa_id.clone());
        contacts.push((wa_id, name));
    }
    let (said, tagged, assigned, resolved) = (vec![], vec![], vec![], vec![]);
    let mut scenario = Scenario { said, tagged, assigned, resolved, users, contacts };
    let mut random = StdRng::seed_from_u64(seed);
    // Four weeks, the last message moments ago; sometimes two things in one second.
    let mut at = now() - 28 * 86_400;
    while at < now() - 60 {
        at = (at + if random.random_bool(0.2) { 0 } else { random.random_range(1..7_200) }).min(now() - 60);
        scenario.step(w, &mut random, at, &tags, &groups);
    }
    w.write().await;
    scenario
}

impl Scenario {
    fn step(&mut self, w: &mut Writer, random: &mut StdRng, at: i64, tags: &[(i64, &'static str)], groups: &[i64]) {
        let wa_id = self.contacts.choose(random).expect("some").0.clone();
        let user = self.users.choose(random).expect("some").0;
        let begun = self.said.iter().any(|said| said.wa_id == wa_id && said.by == By::Customer);
        let id = Uuid::from_u128(random.random());
        let waba_id = format!("wamid.{}", id.simple());
        match random.random_range(0..12) {
            kind @ 0..=4 => {
                // Seldom WhatsApp's own notice, which is nobody's word.
                let notice = begun && kind == 4 && random.random_bool(0.3);
                let mut message = received(&waba_id, at, r#"{"type":"text","text":{"body":"Hello, \"you\"\n"}}"#);
                message.kind = if notice { "system" } else { "text" }.to_owned();
                let position = w.chat(&wa_id, message);
                let kind = if notice { "system" } else { "text" };
                let (by, failed, delivered, read) = (By::Customer, false, false, false);
                self.said.push(Said { wa_id, at, position, by, kind, failed, delivered, read });
            }
            _ if !begun => {}
            5..=7 => {
                let id = MessageId(id);
                let position = w.chat(&wa_id, queued(id, at, user));
                let failed = random.random_bool(0.2);
                let delivered = !failed && random.random_bool(0.8);
                let read = delivered && random.random_bool(0.5);
                if failed {
                    w.chat(&wa_id, MessageRejected { message_id: id, errors: json(r#"[{"code":131026}]"#) });
                } else {
                    w.chat(&wa_id, accepted(id, &waba_id));
                }
                for name in
                    [("delivered", delivered), ("read", read)].iter().filter(|(_, is)| *is).map(|(name, _)| name)
                {
                    w.chat(&wa_id, status(&waba_id, name, at + 1));
                }
                let by = By::User(user);
                self.said.push(Said { wa_id, at, position, by, kind: "text", failed, delivered, read });
            }
            8 if random.random_bool(0.3) => {
                let (message, kind) = (json(r#"{"type":"text","text":{"body":"By phone"}}"#), "text".to_owned());
                let echo =
                    MessageEchoed { message_id: MessageId(id), waba_id, timestamp: at, kind, context: None, message };
                let position = w.chat(&wa_id, echo);
                let (by, failed, delivered, read) = (By::Phone, false, false, false);
                self.said.push(Said { wa_id, at, position, by, kind: "text", failed, delivered, read });
            }
            8 | 9 => self.tag(w, random, (wa_id, at), user, tags),
            10 => {
                let user = Some(user).filter(|_| random.random_bool(0.8));
                let event = ChatAssigned {
                    user_set: user.map(UserId),
                    user_cleared: user.is_none(),
                    group_set: Some(GroupId(groups[0])),
                    timestamp: at,
                    ..ChatAssigned::default()
                };
                w.chat(&wa_id, event);
                self.assigned.push(Assigned { wa_id, at, user });
            }
            _ if random.random_bool(0.3) => {
                w.chat(&wa_id, ChatResolved { done_by: UserId(user), timestamp: at });
                self.resolved.push((wa_id, at));
            }
            _ => {}
        }
    }

    fn tag(
        &mut self,
        w: &mut Writer,
        random: &mut StdRng,
        (wa_id, at): (String, i64),
        user: i64,
        tags: &[(i64, &'static str)],
    ) {
        let (id, tag) = *tags.choose(random).expect("some");
        let was = TagAsItWas { id: TagId(id), name: tag.to_owned(), web_inbox_color: None };
        let by = Some(user).filter(|_| random.random_bool(0.8));
        let before = self.tagged.iter().rev().find(|of| of.wa_id == wa_id && of.tag == tag && of.added);
        let ended = self.tagged.iter().rev().find(|of| of.wa_id == wa_id && of.tag == tag).is_none_or(|of| !of.added);
        let (extra, done_by) = (None, by.map(UserId));
        let position = match before.filter(|_| !ended) {
            None => w.chat(&wa_id, ChatTagged { tag: was, extra, done_by, timestamp: at }),
            Some(before) => {
                let tagging_id = TaggingId(before.position);
                w.chat(&wa_id, ChatUntagged { tagging_id, tag: was, extra, done_by, timestamp: at })
            }
        };
        self.tagged.push(Tagged { wa_id, at, position, added: ended, tag, by });
    }
}
