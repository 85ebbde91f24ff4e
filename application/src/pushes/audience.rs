//! Who is told which part of a push (R-IWH-1, 3, 4, 5, 8, 9, 11; R-WHK-2). Pure.
//!
//! Whoever reads pushes may be behind the present, so the receivers are kept as they were at that place of the ledger:
//! what was registered or changed later does not count yet.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chatledger_domain::{
    AnyEvent, Position, UserId,
    bulk_message::BulkMessageEvent,
    chat::ChatEvent,
    webhook::{Subscriptions, WebhookEvent},
};
use uuid::Uuid;

use super::push::{News, Push};
use crate::ports::{bodies::Parts, ledger::Recorded};

/// Somebody who is told of a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// The receiver: the position of the event that registered it.
    pub receiver: i64,
    /// Whose it is.
    pub user: UserId,
    /// What it is told.
    pub parts: Parts,
    /// The chats that this is about, in the push's order.
    pub chats: Vec<String>,
}

#[derive(Clone, Copy, Debug)]
struct Member {
    user: UserId,
    subscriptions: Subscriptions,
}

/// The receivers of a tenant as they were at a place of its ledger.
#[derive(Clone, Debug, Default)]
pub struct Audience {
    members: BTreeMap<i64, Member>,
    streams: HashMap<String, i64>,
    /// Who sent which bulk message.
    senders: HashMap<Uuid, UserId>,
    /// Whether the tenant wants `tagged_messages` and `tagged_chats` told to everybody.
    pub legacy: bool,
}

impl Audience {
    /// Whether there is nobody to tell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Takes in what changes the audience; give it every event, in order.
    pub fn take(&mut self, recorded: &Recorded) {
        match &recorded.event {
            AnyEvent::Webhook(event) => self.take_webhook(event, &recorded.stream.aggregate_id, recorded.position),
            AnyEvent::BulkMessage(BulkMessageEvent::BulkMessageCreated(e)) => self.sent_by(e.id, e.sender),
            _ => {}
        }
    }

    fn take_webhook(&mut self, event: &WebhookEvent, stream: &str, position: Position) {
        let known = self.streams.get(stream).copied();
        match event {
            WebhookEvent::WebhookRegistered(e) => {
                self.streams.insert(stream.to_owned(), position.0);
                self.members.insert(position.0, Member { user: e.user, subscriptions: e.subscriptions });
            }
            WebhookEvent::WebhookChanged(e) => {
                if let Some(member) = known.and_then(|id| self.members.get_mut(&id)) {
                    member.subscriptions = e.subscriptions;
                }
            }
            WebhookEvent::WebhookDeleted(_) => drop(known.and_then(|id| self.members.remove(&id))),
            // What a disabled one would be told is kept (R-OUT-4).
            WebhookEvent::WebhookDisabled(_) | WebhookEvent::WebhookEnabled(_) => {}
        }
    }

    /// Keeps only the receivers of these users: the others are not active (R-IWH-11).
    pub fn keep_users(&mut self, active: &HashSet<UserId>) {
        self.members.retain(|_, member| active.contains(&member.user));
    }

    /// Whose a receiver is.
    #[must_use]
    pub fn user_of(&self, receiver: i64) -> Option<UserId> {
        self.members.get(&receiver).map(|member| member.user)
    }

    /// Learns who sends a bulk message.
    pub fn sent_by(&mut self, task: Uuid, sender: UserId) {
        self.senders.insert(task, sender);
    }

    /// The bulk messages in some pushes whose senders are not known.
    pub fn unknown_tasks<'a>(&self, pushes: impl Iterator<Item = &'a Push>) -> BTreeSet<Uuid> {
        let tasks = pushes.filter(|push| push.news == News::Bulk).filter_map(task_of);
        tasks.filter(|task| !self.senders.contains_key(task)).collect()
    }

    /// Who is told of a push, by receiver.
    #[must_use]
    pub fn of(&self, push: &Push) -> Vec<Listener> {
        let told = self.members.iter().filter(|(receiver, _)| **receiver < push.position.0);
        told.filter_map(|(receiver, member)| {
            let (parts, chats) = self.parts(push, *member)?;
            Some(Listener { receiver: *receiver, user: member.user, parts, chats })
        })
        .collect()
    }

    fn parts(&self, push: &Push, member: Member) -> Option<(Parts, Vec<String>)> {
        let Subscriptions { on_outgoing_message, on_assigned, .. } = member.subscriptions;
        let own = Parts { own: true, ..Parts::default() };
        let parts = match push.news {
            News::Call => return call(push, member),
            News::Outgoing => on_outgoing_message.then_some(own)?,
            News::Assigned if on_assigned => Parts { assigned: given_to(push, member.user), ..own },
            News::MessageTagging | News::ChatTagging => Parts { legacy: self.legacy, ..own },
            News::Assigned | News::Resolved(_) | News::Availability => own,
            News::Bulk => {
                let sender = task_of(push).and_then(|task| self.senders.get(&task));
                (sender == Some(&member.user)).then_some(own)?
            }
        };
        Some((parts, push.chats.iter().map(|chat| chat.wa_id.clone()).collect()))
    }
}

fn task_of(push: &Push) -> Option<Uuid> {
    push.events.iter().find_map(|recorded| match &recorded.event {
        AnyEvent::BulkMessage(BulkMessageEvent::BulkMessageCreated(e)) => Some(e.id),
        AnyEvent::BulkMessage(BulkMessageEvent::BulkElementSettled(e)) => Some(e.task),
        _ => None,
    })
}

/// The chat whose user somebody has just become; a new group alone gives nobody a message (R-IWH-8).
fn given_to(push: &Push, user: UserId) -> Vec<String> {
    let given = push.events.iter().filter(
        |recorded| matches!(&recorded.event, AnyEvent::Chat(ChatEvent::ChatAssigned(e)) if e.user_set == Some(user)),
    );
    given.map(|recorded| recorded.stream.aggregate_id.clone()).collect()
}

/// The flags alone decide, not what the user may read (R-IWH-3).
fn call(push: &Push, member: Member) -> Option<(Parts, Vec<String>)> {
    let Subscriptions { on_incoming_message, on_outgoing_message, on_assigned } = member.subscriptions;
    let chats_with = |is_told: fn(&AnyEvent) -> bool| {
        let told = push.events.iter().filter(move |recorded| is_told(&recorded.event));
        told.map(|recorded| recorded.stream.aggregate_id.as_str()).collect::<HashSet<_>>()
    };
    let is_message = |event: &AnyEvent| matches!(event, AnyEvent::Chat(ChatEvent::MessageReceived(_)));
    let is_status = |event: &AnyEvent| matches!(event, AnyEvent::Chat(ChatEvent::MessageStatusReported(_)));
    let (messages, statuses) = (chats_with(is_message), chats_with(is_status));
    let has_errors = push.events.iter().any(|recorded| !matches!(recorded.event, AnyEvent::Chat(_)));
    let held = |wa_id: &&str| push.chat(wa_id).is_some_and(|chat| chat.before.user == Some(member.user));
    let all_statuses = on_incoming_message || on_outgoing_message;
    let in_order = |told: &dyn Fn(&&str) -> bool| {
        let chats = push.chats.iter().map(|chat| chat.wa_id.as_str());
        chats.filter(|wa_id| told(wa_id)).map(str::to_owned).collect::<Vec<_>>()
    };
    let assigned = in_order(&|wa_id| on_assigned && messages.contains(wa_id) && held(wa_id));
    // Only statuses of its own chats for one that is told of its own chats only (R-IWH-4).
    let statuses_of = in_order(&|wa_id| on_assigned && !all_statuses && statuses.contains(wa_id) && held(wa_id));
    let parts = Parts {
        incoming: on_incoming_message && !messages.is_empty(),
        statuses: all_statuses && (has_errors || !statuses.is_empty()) || !statuses_of.is_empty(),
        assigned,
        statuses_of,
        ..Parts::default()
    };
    let is_told = |wa_id: &&str| {
        (parts.incoming && messages.contains(wa_id))
            || (all_statuses && statuses.contains(wa_id))
            || parts.assigned.iter().chain(&parts.statuses_of).any(|chat| chat == wa_id)
    };
    let chats = in_order(&is_told);
    (parts != Parts::default()).then_some((parts, chats))
}
