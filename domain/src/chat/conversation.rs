//! Conversations: the sessions within a chat (R-CNV-1 … R-CNV-4). They follow from its messages and from being closed;
//! that one is over because of the time is nowhere stored.

use serde::{Deserialize, Serialize};

use super::{ChatEvent, opens_window};
use crate::ids::MessageId;

/// How long a conversation lasts after a customer's message, or after whichever message opened it, in seconds.
pub const SPAN: i64 = 86_400;

/// The newest conversation of a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    /// The message that opened it, which names it within its tenant.
    pub opened_by: MessageId,
    /// When it is over unless the customer writes, POSIX seconds.
    pub expires_at: i64,
    /// Whether a user closed it.
    pub closed: bool,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// The customer.
    Customer,
    /// The business.
    Business,
}

/// A message, as far as conversations care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    /// Our id.
    pub message_id: MessageId,
    /// Who speaks.
    pub by: Speaker,
    /// When it was written, POSIX seconds; never later than `known_at`.
    pub written_at: i64,
    /// When we learned of it, POSIX seconds.
    pub known_at: i64,
    /// Its own timestamp, POSIX seconds.
    pub timestamp: i64,
}

impl Said {
    /// What an event says; `None` for what is no message, and for notices of WhatsApp's own (R-WIN-2).
    #[must_use]
    pub fn of(event: &ChatEvent) -> Option<Self> {
        let said = |message_id, by, timestamp: i64, known_at: i64| {
            Some(Self { message_id, by, written_at: timestamp.min(known_at), known_at, timestamp })
        };
        match event {
            ChatEvent::MessageReceived(e) if opens_window(&e.kind) => {
                said(e.message_id, Speaker::Customer, e.timestamp, e.received_at)
            }
            ChatEvent::MessageQueued(e) => said(e.message_id, Speaker::Business, e.timestamp, e.timestamp),
            ChatEvent::MessageEchoed(e) => said(e.message_id, Speaker::Business, e.timestamp, e.timestamp),
            _ => None,
        }
    }
}

impl Conversation {
    /// Whether it is active: neither closed nor over.
    #[must_use]
    pub fn is_active(&self, now: i64) -> bool {
        !self.closed && now < self.expires_at
    }

    /// The newest conversation once a message was said: the one before, or one that the message opens.
    #[must_use]
    pub fn after(before: Option<Self>, said: &Said) -> Self {
        if let Some(current) = before
            && current.takes(said)
        {
            let moved = if said.by == Speaker::Customer { said.written_at + SPAN } else { current.expires_at };
            return Self { expires_at: current.expires_at.max(moved), ..current };
        }
        Self { opened_by: said.message_id, expires_at: said.written_at + SPAN, closed: false }
    }

    /// Whether a message belongs to it. One that comes so late that it cannot make a conversation active again belongs
    /// to the one in which it was written: what is over stays over (R-CNV-3).
    fn takes(&self, said: &Said) -> bool {
        let late = said.by == Speaker::Customer
            && said.written_at < self.expires_at
            && said.written_at.saturating_add(SPAN) <= said.known_at;
        !self.closed && (said.known_at < self.expires_at || late)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn said(id: u128, by: Speaker, written_at: i64, known_at: i64) -> Said {
        Said { message_id: MessageId(Uuid::from_u128(id)), by, written_at, known_at, timestamp: written_at }
    }

    fn by(conversation: Conversation) -> u128 {
        conversation.opened_by.0.as_u128()
    }

    #[test]
    fn r_cnv_1_a_customers_message_opens_one_and_moves_its_end() {
        let first = Conversation::after(None, &said(1, Speaker::Customer, 100, 105));
        assert_eq!((by(first), first.expires_at), (1, 100 + SPAN));
        let second = Conversation::after(Some(first), &said(2, Speaker::Customer, 5_000, 5_000));
        assert_eq!((by(second), second.expires_at), (1, 5_000 + SPAN));
        let older = Conversation::after(Some(second), &said(3, Speaker::Customer, 4_000, 5_001));
        assert_eq!(older.expires_at, 5_000 + SPAN, "never back");
    }

    #[test]
    fn r_cnv_2_a_message_of_the_business_opens_one_and_moves_nothing() {
        let first = Conversation::after(None, &said(1, Speaker::Business, 100, 100));
        assert_eq!(first.expires_at, 100 + SPAN);
        let second = Conversation::after(Some(first), &said(2, Speaker::Business, 500, 500));
        assert_eq!(second, first);
        // From the phone, in a chat that has been quiet for long.
        let third = Conversation::after(Some(second), &said(3, Speaker::Business, 9 * SPAN, 9 * SPAN));
        let fourth = Conversation::after(Some(third), &said(4, Speaker::Business, 9 * SPAN + 600, 9 * SPAN + 600));
        assert_eq!((by(third), by(fourth)), (3, 3));
    }

    #[test]
    fn r_cnv_3_what_is_closed_or_over_is_final() {
        let first = Conversation::after(None, &said(1, Speaker::Customer, 0, 0));
        assert!(first.is_active(SPAN - 1) && !first.is_active(SPAN));
        assert_eq!(by(Conversation::after(Some(first), &said(2, Speaker::Customer, SPAN, SPAN))), 2);
        // Written in time, but known when it was over and would be active again.
        assert_eq!(by(Conversation::after(Some(first), &said(3, Speaker::Customer, SPAN - 1, SPAN + 1))), 3);
        let closed = Conversation { closed: true, ..first };
        let next = Conversation::after(Some(closed), &said(4, Speaker::Business, 10, 10));
        assert_eq!((by(next), next.expires_at, next.closed), (4, 10 + SPAN, false));
    }

    #[test]
    fn r_cnv_3_a_backlog_is_one_conversation_that_is_over() {
        let late = 10 * SPAN;
        let first = Conversation::after(None, &said(1, Speaker::Customer, 0, late));
        assert!(!first.is_active(late));
        let second = Conversation::after(Some(first), &said(2, Speaker::Customer, 60, late));
        assert_eq!((by(second), second.expires_at), (1, 60 + SPAN));
        let fresh = Conversation::after(Some(second), &said(3, Speaker::Customer, late - 60, late));
        assert_eq!(by(fresh), 3);
    }
}
