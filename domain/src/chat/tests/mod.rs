//! Given / when / then for chats: one test a rule, named after it; here is what the tests share.

mod assignment;
mod erasure;
mod marks;
mod messages;
mod outcomes;
mod permissions;
mod replay;
mod resolution;
mod tagging;
mod window;

use std::collections::BTreeSet;

use cqrs_es::test::TestFramework;
use serde_json::json;

use super::*;
use crate::{
    decider::{Claim, Decider, Event, EventSourced},
    ids::{GroupId, MessageId, Position, TagId, TaggingId, UserId},
    permission::{Actor, Assignment, Permissions, Role, Scope},
    raw_json::RawJson,
};

type Decision = Result<Vec<ChatEvent>, ChatRefusal>;

/// When the tests' customer wrote, and the second at which everything else happens unless a test says otherwise.
const WRITTEN: i64 = 1_700_000_000;
const NOW: i64 = WRITTEN + 60;
const DAY: i64 = 86_400;

const ME: UserId = UserId(7);
const OTHER: UserId = UserId(8);
const BOT: UserId = UserId(9);
const MINE: GroupId = GroupId(2);
const FOREIGN: GroupId = GroupId(3);

fn given(events: &[ChatEvent]) -> Given {
    Given(events.to_vec())
}

/// A chat's past; [`Given::when`] is the framework's, [`Given::state`] the fold alone.
struct Given(Vec<ChatEvent>);

impl Given {
    fn when(self, command: ChatCommand) -> Then {
        Then(TestFramework::<EventSourced<Chat>>::with(()).given(self.0).when(command))
    }

    fn state(self) -> Chat {
        fold(&self.0)
    }
}

/// What a command led to.
struct Then(cqrs_es::test::AggregateResultValidator<EventSourced<Chat>>);

impl Then {
    fn expect<E: Into<ChatEvent>>(self, event: E) {
        self.0.then_expect_events(vec![event.into()]);
    }

    fn expect_all(self, events: &[ChatEvent]) {
        self.0.then_expect_events(events.to_vec());
    }

    fn expect_nothing(self) {
        self.0.then_expect_events(Vec::new());
    }

    fn refused(self, refusal: ChatRefusal) {
        self.0.then_expect_error(refusal);
    }

    fn decision(self) -> Decision {
        self.0.inspect_result()
    }
}

/// The state after events at positions 1, 2, 3 …
fn fold(events: &[ChatEvent]) -> Chat {
    (1_i64..).zip(events).fold(Chat::default(), |mut chat, (position, event)| {
        chat.evolve(event, Position(position));
        chat
    })
}

fn raw(value: &serde_json::Value) -> RawJson {
    RawJson::from(value)
}

fn id(number: u128) -> MessageId {
    MessageId(uuid::Uuid::from_u128(number))
}

fn actor(user: UserId, role: Role, read: Scope, write: Scope) -> Actor {
    let permissions = Permissions { can_use_tags: true, can_read_chats: read, can_write_to_chats: write };
    Actor { user, role, groups: BTreeSet::from([MINE]), permissions }
}

/// A person who may read and write everywhere.
fn me() -> Actor {
    actor(ME, Role::User, Scope::All, Scope::All)
}

/// Somebody who is in none of my groups and may read and write everywhere.
fn other() -> Actor {
    Actor { groups: BTreeSet::new(), ..actor(OTHER, Role::User, Scope::All, Scope::All) }
}

fn admin() -> Actor {
    Actor { groups: BTreeSet::new(), ..actor(UserId(1), Role::Admin, Scope::All, Scope::All) }
}

fn app() -> Actor {
    actor(BOT, Role::App, Scope::All, Scope::All)
}

fn incoming(waba_id: &str, kind: &str, timestamp: i64) -> Incoming {
    Incoming {
        message_id: id(1),
        waba_id: waba_id.into(),
        timestamp,
        kind: kind.into(),
        context: None,
        referral: false,
        message: raw(&json!({ "type": kind })),
    }
}

/// The customer's message as it is recorded at its own second.
fn received(waba_id: &str, kind: &str, timestamp: i64) -> ChatEvent {
    received_at(waba_id, kind, timestamp, timestamp)
}

fn received_at(waba_id: &str, kind: &str, timestamp: i64, received_at: i64) -> ChatEvent {
    let Incoming { message_id, waba_id, timestamp, kind, context, referral, message } =
        incoming(waba_id, kind, timestamp);
    MessageReceived { message_id, waba_id, timestamp, received_at, kind, context, referral, reopens: false, message }
        .into()
}

/// The one message that most chats of the tests begin with.
fn hello() -> ChatEvent {
    received("wamid.1", "text", WRITTEN)
}

fn outgoing(number: u128, kind: &str) -> Outgoing {
    let message = raw(&json!({ "type": kind }));
    Outgoing { message_id: id(number), kind: kind.into(), context: None, message, rendered: None }
}

fn send(actor: Actor, kind: &str, now: i64) -> ChatCommand {
    ChatCommand::SendMessage { actor, outgoing: outgoing(2, kind), free_entry: false, counted: true, now }
}

fn queued(number: u128, sender: UserId, kind: &str, timestamp: i64) -> ChatEvent {
    let Outgoing { message_id, kind, context, message, rendered } = outgoing(number, kind);
    MessageQueued { message_id, timestamp, kind, sender, context, message, rendered, outside_window: false }.into()
}

/// A template that was sent while the window was closed.
fn queued_outside(number: u128, sender: UserId, timestamp: i64) -> ChatEvent {
    match queued(number, sender, "template", timestamp) {
        ChatEvent::MessageQueued(e) => MessageQueued { outside_window: true, ..e }.into(),
        other => other,
    }
}

fn assigned(user: Option<UserId>, group: Option<GroupId>) -> ChatEvent {
    let done_by = Some(UserId(1));
    ChatAssigned { user_set: user, group_set: group, done_by, timestamp: WRITTEN, ..ChatAssigned::default() }.into()
}

fn vip() -> TagAsItWas {
    TagAsItWas { id: TagId(40), name: "VIP".into(), web_inbox_color: Some("#ff0000".into()) }
}

fn chat_tagged(extra: Option<RawJson>) -> ChatTagged {
    ChatTagged { tag: vip(), extra, done_by: Some(ME), timestamp: NOW }
}

fn mark(actor: Actor, timestamp: i64) -> ChatCommand {
    ChatCommand::MarkAsReceived { actor, timestamp, now: NOW }
}

fn marked(user: UserId, timestamp: i64) -> ChatEvent {
    MessagesMarkedAsReceived { user, timestamp }.into()
}
