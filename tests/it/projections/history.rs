//! Makes ledgers for the tests of the read models: single events, and a long history with every kind of event.

use std::{collections::HashMap, sync::Arc};

use chatledger_application::ports::ledger::{Cause, Ledger, Metadata, NewEvent, StreamId, Unit};
use chatledger_domain::{
    AnyEvent, GroupId, MessageId, Permissions, RawJson, Role, Scope, TagId, TaggingId, TenantId, UserId,
    chat::{
        conversation::{Conversation, Said},
        *,
    },
    decider::Event,
    group::{GroupCreated, GroupDeleted, GroupEvent, GroupMemberPicked, GroupPermissionsChanged, GroupRenamed},
    permission::Overrides,
    tag::{TagChanged, TagCreated, TagDeleted, TagEvent},
    tenant::{Settings, SettingsChanged, TenantCreated, TenantEvent},
    user::*,
    whatsapp_account::*,
};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use uuid::Uuid;

/// What WhatsApp may send that trees and databases choke on.
pub const ODD: &str = r#"{"type":"text",  "text":{"body":"Olá \u0000 \ud83d x"}, "n":1.00}"#;

pub fn json(text: &str) -> RawJson {
    RawJson::parse(text.to_owned()).unwrap()
}

/// Writes a tenant's ledger.
pub struct Writer {
    pub ledger: Arc<dyn Ledger>,
    pub tenant: TenantId,
    sequences: HashMap<StreamId, i64>,
    unit: Vec<NewEvent>,
    /// The newest position once everything is written.
    pub head: i64,
    /// The newest conversation of each chat.
    pub conversations: HashMap<String, Conversation>,
}

impl Writer {
    pub fn new(ledger: Arc<dyn Ledger>, tenant: TenantId) -> Self {
        let (sequences, conversations) = (HashMap::new(), HashMap::new());
        Self { ledger, tenant, sequences, unit: Vec::new(), head: 0, conversations }
    }

    /// Adds an event; its position.
    pub fn add<E: Event + Into<AnyEvent>>(&mut self, kind: &'static str, id: &str, event: E) -> i64 {
        let stream = StreamId { aggregate_type: kind, aggregate_id: id.to_owned() };
        let sequence = self.sequences.entry(stream.clone()).or_default();
        *sequence += 1;
        self.unit.push(NewEvent {
            stream,
            sequence: *sequence,
            payload: event.payload().unwrap(),
            key: event.idempotency_key(),
            claims: event.claims(),
            occurred_at: chrono::Utc::now(),
            event: event.into(),
        });
        self.head += 1;
        self.head
    }

    pub fn chat(&mut self, wa_id: &str, event: impl Into<ChatEvent>) -> i64 {
        let event = event.into();
        if let Some(said) = Said::of(&event) {
            let after = Conversation::after(self.conversations.get(wa_id).copied(), &said);
            self.conversations.insert(wa_id.to_owned(), after);
        }
        self.add("Chat", wa_id, event)
    }

    /// Closes the newest conversation of a chat, if it is not closed.
    pub fn close(&mut self, wa_id: &str, done_by: UserId, timestamp: i64) {
        if let Some(open) = self.conversations.get_mut(wa_id).filter(|newest| !newest.closed) {
            open.closed = true;
            let opened_by = open.opened_by;
            self.chat(wa_id, ConversationClosed { opened_by, done_by, timestamp });
        }
    }

    /// Records what was added.
    pub async fn write(&mut self) {
        let metadata =
            Metadata { actor: Cause::Whatsapp, family: "test".into(), correlation_id: "test".into(), causation: None };
        let (tenant, events) = (self.tenant, std::mem::take(&mut self.unit));
        let unit = Unit { tenant, events, relies_on: Vec::new(), metadata: Arc::new(metadata) };
        let recorded = self.ledger.append(unit).await.unwrap();
        assert_eq!(recorded.last().map_or(self.head, |event| event.position.0), self.head);
    }
}

pub fn received(waba_id: &str, timestamp: i64, body: &str) -> MessageReceived {
    MessageReceived {
        message_id: MessageId(Uuid::new_v4()),
        waba_id: waba_id.into(),
        timestamp,
        received_at: timestamp.max(1_000),
        kind: "text".into(),
        context: None,
        referral: false,
        reopens: false,
        message: json(body),
    }
}

pub fn queued(message_id: MessageId, timestamp: i64, sender: i64) -> MessageQueued {
    let message = json(r#"{"to":"1","type":"text","text":{"body":"Reply"}}"#);
    let (kind, sender, outside_window) = ("text".into(), UserId(sender), false);
    MessageQueued { message_id, timestamp, kind, sender, context: None, message, rendered: None, outside_window }
}

pub fn accepted(message_id: MessageId, waba_id: &str) -> MessageAccepted {
    MessageAccepted { message_id, waba_id: waba_id.into(), response: Some(json(r#"{"messages":[]}"#)) }
}

pub fn status(waba_id: &str, status: &str, timestamp: i64) -> MessageStatusReported {
    let report = json(r#"{"errors":[{"code":131026,"title":"\ud83d"}]}"#);
    MessageStatusReported { waba_id: waba_id.into(), message_id: None, status: status.into(), timestamp, report }
}

pub fn tag_as_it_was(id: i64) -> TagAsItWas {
    TagAsItWas { id: TagId(id), name: format!("tag\0 {id}"), web_inbox_color: Some("#fff".into()) }
}

pub fn user_created(name: &str, role: Role, groups: &[i64]) -> UserEvent {
    let groups = groups.iter().copied().map(GroupId).collect();
    let (first_name, last_name, email) = ("Ines\0".to_owned(), "Mota".to_owned(), String::new());
    UserCreated { username: name.into(), first_name, last_name, email, role, groups, done_by: None }.into()
}

/// The tenant, its groups, users and tags: ids of groups, users and tags.
pub async fn set_up(w: &mut Writer, slug: &str) -> (Vec<i64>, Vec<i64>, Vec<i64>) {
    let created = TenantCreated { slug: slug.into(), name: "Acme".into(), hosts: vec!["acme.example".into()] };
    w.add("Tenant", "tenant", TenantEvent::from(created));
    let settings =
        SettingsChanged { settings: Settings { free_entry_window: true, ..Settings::default() }, done_by: None };
    w.add("Tenant", "tenant", TenantEvent::from(settings));
    let number = AccountConnected {
        // A number is one inbox's.
        phone_number_id: format!("5 of {slug}"),
        display_phone_number: "+5".into(),
        channel: Channel::Cloud,
        waba_id: None,
        webhook_url: Some("https://acme.example/\0hook".into()),
    };
    w.add("WhatsAppAccount", "account", WhatsAppAccountEvent::from(number.clone()));
    let gone = AccountDisconnected { phone_number_id: number.phone_number_id.clone() };
    w.add("WhatsAppAccount", "account", WhatsAppAccountEvent::from(gone));
    w.add("WhatsAppAccount", "account", WhatsAppAccountEvent::from(number));
    let notice = AccountNoticeReceived { field: "x".into(), report: json("{}"), fingerprint: "f".into() };
    w.add("WhatsAppAccount", "account", WhatsAppAccountEvent::from(notice));
    let (field, report) = ("business_capability_update".into(), json(r#"{"max_daily_conversation_per_phone":10000}"#));
    let notice = AccountNoticeReceived { field, report, fingerprint: "g".into() };
    w.add("WhatsAppAccount", "account", WhatsAppAccountEvent::from(notice));
    let mut groups = Vec::new();
    for role in Role::ALL {
        let permissions = role.default_permissions();
        let name = role.group_name().to_owned();
        let created = GroupCreated { name: name.clone(), built_in: Some(role), permissions, done_by: None };
        groups.push(w.add("Group", &name, GroupEvent::from(created)));
    }
    let permissions = Permissions { can_read_chats: Scope::Group, ..Role::App.default_permissions() };
    let changed = GroupPermissionsChanged { permissions, done_by: None };
    w.add("Group", Role::App.group_name(), GroupEvent::from(changed));
    let picked = GroupMemberPicked { user: UserId(1), trigger: 1 };
    w.add("Group", Role::User.group_name(), GroupEvent::from(picked));
    let name = |name: &str| name.to_owned();
    let created = GroupCreated { name: name("Old"), built_in: None, permissions, done_by: None };
    w.add("Group", "Old", GroupEvent::from(created));
    let renamed = GroupRenamed { name: name("Older"), previous_name: name("Old"), done_by: None };
    w.add("Group", "Old", GroupEvent::from(renamed));
    w.add("Group", "Old", GroupEvent::from(GroupDeleted { name: name("Older"), done_by: None }));
    let mut users = Vec::new();
    for (name, role) in [("Admin1", Role::Admin), ("ines", Role::User), ("bot", Role::App), ("gone", Role::User)] {
        let at = Role::ALL.iter().position(|known| *known == role).unwrap();
        users.push(w.add("User", name, user_created(name, role, &[groups[at]])));
        w.add("User", name, UserEvent::from(UserActivated {}));
    }
    let details = UserDetailsChanged {
        username: name("Bea"),
        previous_username: name("ines"),
        first_name: name("Bea\0"),
        last_name: String::new(),
        email: name("bea@acme.example"),
        done_by: None,
    };
    w.add("User", "ines", UserEvent::from(details));
    w.add("User", "ines", UserEvent::from(AvailabilityChanged { is_available: false, done_by: None }));
    w.add("User", "ines", UserEvent::from(PasswordChanged { done_by: None }));
    w.add("User", "bot", UserEvent::from(TokenIssued {}));
    w.add("User", "bot", UserEvent::from(RefreshTokenIssued { expires_at: 1_767_700_000 }));
    let overrides = Overrides { can_read_chats: Some(Scope::User), ..Overrides::default() };
    w.add("User", "ines", UserEvent::from(UserPermissionsChanged { overrides, done_by: None }));
    let moved = UserGroupsChanged { role: Role::App, groups: [GroupId(groups[2])].into(), done_by: None };
    w.add("User", "gone", UserEvent::from(moved));
    w.add("User", "gone", UserEvent::from(UserDeactivated { done_by: None }));
    let stored = include_str!("../fixtures/events/0.1/Media.MediaStored.v1.json");
    let stored = AnyEvent::read("Media", "MediaStored", "1", stored).unwrap();
    if let AnyEvent::Media(stored) = stored {
        w.add("Media", "0190f3a2-6000-7c00-8000-000000000001", stored);
    }
    let mut tags = Vec::new();
    for name in ["Urgent", "Billing 50%", "Old"] {
        let created = TagCreated { name: name.into(), web_inbox_color: None, done_by: UserId(1) };
        tags.push(w.add("Tag", name, TagEvent::from(created)));
    }
    let changed = TagChanged {
        name: "VIP".into(),
        previous_name: "Urgent".into(),
        web_inbox_color: Some("#000".into()),
        done_by: UserId(1),
    };
    w.add("Tag", "Urgent", TagEvent::from(changed));
    w.add("Tag", "Old", TagEvent::from(TagDeleted { name: "Old".into(), done_by: UserId(1) }));
    super::account::set_up(w);
    super::integrations::set_up(w, &users, &tags);
    super::address_book::set_up(w, &users);
    w.write().await;
    (groups, users, tags)
}

/// What one chat of the long history is at.
#[derive(Default)]
struct Thread {
    clock: i64,
    sent: Vec<(MessageId, String)>,
    messages: Vec<MessageId>,
    chat_tagging: Option<(TaggingId, i64)>,
    message_tagging: Option<(TaggingId, MessageId, i64)>,
}

/// A long history of some chats with every kind of event, in an order that tests the folds: late messages, statuses
/// before their message, several changes of one thing in a row.
pub async fn generate(w: &mut Writer, seed: u64, events: usize, users: &[i64], groups: &[i64], tags: &[i64]) {
    let mut random = StdRng::seed_from_u64(seed);
    let mut threads: HashMap<String, Thread> = HashMap::new();
    for n in 0..events {
        let wa_id = format!("35191200{:03}", random.random_range(0..20));
        let thread = threads.entry(wa_id.clone()).or_insert_with(|| Thread { clock: 1_000, ..Thread::default() });
        thread.clock += random.random_range(0..3);
        let late = thread.clock - random.random_range(0..40);
        if thread.messages.is_empty() {
            w.add("Contact", &wa_id, super::address_book::seen(&mut random));
            let message = received(&format!("in.{seed}.{n}"), thread.clock, ODD);
            thread.messages.push(message.message_id);
            w.chat(&wa_id, message);
            continue;
        }
        step(w, &mut random, thread, &wa_id, (seed, n, late), users, groups, tags);
        if random.random_bool(0.2) {
            w.write().await;
        }
    }
    w.write().await;
}

#[allow(clippy::too_many_arguments)]
fn step(
    w: &mut Writer,
    random: &mut StdRng,
    thread: &mut Thread,
    wa_id: &str,
    (seed, n, late): (u64, usize, i64),
    users: &[i64],
    groups: &[i64],
    tags: &[i64],
) {
    let user = *users.choose(random).unwrap();
    let done_by = Some(UserId(user)).filter(|_| random.random_bool(0.8));
    let tag = *tags.choose(random).unwrap();
    let extra = Some(json(r#"{ "k":"\u0000" }"#)).filter(|_| random.random_bool(0.5));
    let timestamp = thread.clock;
    match random.random_range(0..17) {
        0..=2 => {
            let mut message = received(&format!("in.{seed}.{n}"), late, ODD);
            message.referral = random.random_bool(0.1);
            message.kind = ["text", "system"].choose(random).map(|kind| (*kind).to_owned()).unwrap();
            message.context = thread.sent.choose(random).map(|(_, waba_id)| waba_id.clone());
            thread.messages.push(message.message_id);
            w.chat(wa_id, message);
        }
        3 => {
            let id = MessageId(Uuid::from_u128(random.random()));
            let waba_id = format!("out.{seed}.{n}");
            // Some are templates outside the window, of one day or another.
            let outside_window = random.random_bool(0.5);
            let at = timestamp + random.random_range(0..4) * i64::from(outside_window) * 86_400;
            w.chat(wa_id, MessageQueued { outside_window, ..queued(id, at, user) });
            if random.random_bool(0.2) {
                w.chat(wa_id, status(&waba_id, "delivered", timestamp + 2));
            }
            match random.random_range(0..10) {
                0 => w.chat(
                    wa_id,
                    MessageRejected {
                        message_id: id,
                        errors: json([r#"[{"code":1}]"#, r#"[{"code":190}]"#].choose(random).unwrap()),
                    },
                ),
                1 => w.chat(wa_id, MessageOutcomeUnknown { message_id: id }),
                _ => w.chat(wa_id, accepted(id, &waba_id)),
            };
            thread.messages.push(id);
            thread.sent.push((id, waba_id));
        }
        4 | 5 => {
            let known = thread.sent.choose(random).map(|(_, waba_id)| waba_id.clone());
            let waba_id = known.unwrap_or_else(|| format!("unknown.{seed}.{wa_id}"));
            let name = ["sent", "delivered", "read", "failed", "warning"].choose(random).unwrap();
            w.chat(wa_id, status(&waba_id, name, timestamp + i64::try_from(n).unwrap()));
        }
        6 => {
            let (message_id, waba_id) = (MessageId(Uuid::from_u128(random.random())), format!("echo.{seed}.{n}"));
            w.chat(wa_id, status(&waba_id, "sent", timestamp));
            let (kind, message) = ("text".to_owned(), json(ODD));
            w.chat(wa_id, MessageEchoed { message_id, waba_id, timestamp: late, kind, context: None, message });
        }
        7 => match thread.chat_tagging.take() {
            Some((tagging_id, tag)) => {
                let tag = tag_as_it_was(tag);
                w.chat(wa_id, ChatUntagged { tagging_id, tag, extra, done_by, timestamp });
            }
            None => {
                let event = ChatTagged { tag: tag_as_it_was(tag), extra, done_by, timestamp };
                thread.chat_tagging = Some((TaggingId(w.chat(wa_id, event)), tag));
            }
        },
        8 => match thread.message_tagging.take() {
            Some((tagging_id, message_id, tag)) => {
                let tag = tag_as_it_was(tag);
                let waba_id = None;
                w.chat(wa_id, MessageUntagged { tagging_id, message_id, waba_id, tag, extra, done_by, timestamp });
            }
            None => {
                let message_id = *thread.messages.choose(random).unwrap();
                let (waba_id, was) = (Some("w".to_owned()), tag_as_it_was(tag));
                let event = MessageTagged { message_id, waba_id, tag: was, extra, done_by, timestamp };
                thread.message_tagging = Some((TaggingId(w.chat(wa_id, event)), message_id, tag));
            }
        },
        9 | 10 => {
            let set = random.random_bool(0.7);
            let group = groups.choose(random).copied().map(GroupId).filter(|_| random.random_bool(0.5));
            let user_set = Some(UserId(user)).filter(|_| set);
            let event = ChatAssigned {
                user_set,
                user_cleared: !set,
                group_set: group,
                group_cleared: false,
                done_by,
                timestamp,
                based_on: thread.messages.choose(random).copied().filter(|_| done_by.is_none()),
                trigger: done_by.is_none().then_some(w.head),
            };
            w.chat(wa_id, event);
        }
        11 => {
            if random.random_bool(0.5) {
                w.chat(wa_id, MessagesMarkedAsReceived { user: UserId(user), timestamp: late });
            } else {
                let to = vec![UserId(user), UserId(user + 1)];
                w.chat(wa_id, MessagesDelivered { to, timestamp: late });
            }
        }
        12 => w.close(wa_id, UserId(user), timestamp),
        13..=15 => super::address_book::step(w, random, wa_id, user, timestamp),
        _ => {
            w.add("Contact", wa_id, super::address_book::seen(random));
        }
    }
}
