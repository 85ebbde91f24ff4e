//! Messages of this side wait, until it is known what WhatsApp says to them, or so long; then they are told once.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use chatledger_application::pushes::{News, Push, PushPage};
use chatledger_domain::{AnyEvent, MessageId, Position, chat::ChatEvent};
use tokio::time::Instant;

/// A message whose outcome is not known by then is told without.
const PATIENCE: Duration = Duration::from_secs(10);
/// More do not wait: the oldest is told as it is.
const MOST: usize = 10_000;

/// A push, and how far the ledger is told with it.
pub(super) type Due = (Position, Push);

/// The messages that wait.
#[derive(Default)]
pub(super) struct Outgoing {
    waiting: HashMap<MessageId, Push>,
    deadlines: VecDeque<(Instant, MessageId)>,
}

impl Outgoing {
    /// What of a page is to be told now, in order.
    pub fn sift(&mut self, page: PushPage, now: Instant) -> Vec<Due> {
        let mut due = Vec::with_capacity(page.pushes.len());
        for push in page.pushes {
            match queued(&push) {
                Some(message) => {
                    self.deadlines.push_back((now + PATIENCE, message));
                    self.waiting.insert(message, push);
                }
                None => due.push((push.position, push)),
            }
        }
        for event in &page.events {
            let AnyEvent::Chat(chat) = &event.event else { continue };
            match chat {
                // Who may read the message is decided when it is told.
                ChatEvent::ChatAssigned(change) if !self.waiting.is_empty() => {
                    let of_chat = self.waiting.values_mut().filter(|push| push.position < event.position);
                    for chat in of_chat.flat_map(|push| &mut push.chats) {
                        if chat.wa_id == event.stream.aggregate_id {
                            chat.after = change.applied_to(chat.after);
                        }
                    }
                }
                _ => {
                    let told = settled(chat).and_then(|message| self.waiting.remove(&message));
                    due.extend(told.map(|push| (event.position, push)));
                }
            }
        }
        due.sort_by_key(|(position, push)| (*position, push.position, push.part));
        due.extend(self.overdue(page.upto, now));
        due
    }

    /// Those that have waited long enough.
    fn overdue(&mut self, upto: Position, now: Instant) -> Vec<Due> {
        let mut due = Vec::new();
        while let Some((deadline, message)) = self.deadlines.front().copied() {
            let is_waiting = self.waiting.contains_key(&message);
            if is_waiting && deadline > now && self.waiting.len() <= MOST {
                break;
            }
            self.deadlines.pop_front();
            due.extend(self.waiting.remove(&message).map(|push| (upto, push)));
        }
        due
    }

    /// When the next one has waited long enough.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.front().map(|(deadline, _)| *deadline)
    }
}

/// The message that a push is about, where its outcome is still to come.
fn queued(push: &Push) -> Option<MessageId> {
    match push.events.first().map(|event| &event.event) {
        Some(AnyEvent::Chat(ChatEvent::MessageQueued(queued))) if push.news == News::Outgoing => {
            Some(queued.message_id)
        }
        _ => None,
    }
}

/// The message whose outcome this is.
fn settled(event: &ChatEvent) -> Option<MessageId> {
    match event {
        ChatEvent::MessageAccepted(event) => Some(event.message_id),
        ChatEvent::MessageRejected(event) => Some(event.message_id),
        ChatEvent::MessageOutcomeUnknown(event) => Some(event.message_id),
        _ => None,
    }
}
