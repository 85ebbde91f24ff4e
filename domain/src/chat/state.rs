//! What a chat's decisions need; small however long the chat.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    conversation::{Conversation, Said},
    event::ChatEvent,
    opens_window,
};
use crate::{
    ids::{GroupId, MessageId, Position, TagId, TaggingId, UserId},
    permission::Assignment,
};

/// How far WhatsApp is with a message that we sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pending {
    /// No answer yet.
    Queued,
    /// The answer got lost.
    Unknown,
}

/// A chat.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Chat {
    /// Whether a message in either direction exists (R-CHAT-6).
    pub exists: bool,
    /// The newest message of the contact that opens the window, never later than its receipt (R-WIN-3).
    pub last_incoming: Option<i64>,
    /// The newest message that came by an ad's referral.
    pub referred_at: Option<i64>,
    /// The newest message in either direction.
    pub newest_message: i64,
    /// Who the chat is assigned to.
    pub assignment: Assignment,
    /// The chat's tags, each with its tagging.
    pub tags: BTreeMap<TagId, TaggingId>,
    /// Each user's received mark.
    pub marks: BTreeMap<UserId, i64>,
    /// Whether a user said that it is resolved, and the customer has not written since (R-CHAT-7).
    pub resolved: bool,
    /// Messages of ours that WhatsApp has not settled.
    pub pending: BTreeMap<MessageId, Pending>,
    /// The newest conversation.
    pub conversation: Option<Conversation>,
    /// Up to where what was said in it is forgotten.
    pub erased_at: Option<Position>,
}

impl Chat {
    pub(super) fn after(&mut self, event: &ChatEvent, position: Position) {
        if let Some(said) = Said::of(event) {
            self.conversation = Some(Conversation::after(self.conversation, &said));
        }
        match event {
            ChatEvent::MessageReceived(e) => {
                self.saw_message(e.timestamp);
                if opens_window(&e.kind) {
                    self.resolved = false;
                    let written = e.timestamp.min(e.received_at);
                    self.last_incoming = self.last_incoming.max(Some(written));
                    if e.referral {
                        self.referred_at = self.referred_at.max(Some(written));
                    }
                }
            }
            ChatEvent::MessageEchoed(e) => self.saw_message(e.timestamp),
            ChatEvent::MessageQueued(e) => {
                self.saw_message(e.timestamp);
                self.pending.insert(e.message_id, Pending::Queued);
            }
            ChatEvent::MessageAccepted(e) => {
                self.pending.remove(&e.message_id);
            }
            ChatEvent::MessageRejected(e) => {
                self.pending.remove(&e.message_id);
            }
            ChatEvent::MessageOutcomeUnknown(e) => {
                self.pending.insert(e.message_id, Pending::Unknown);
            }
            ChatEvent::ChatTagged(e) => {
                self.tags.insert(e.tag.id, TaggingId(position.0));
            }
            ChatEvent::ChatUntagged(e) => {
                self.tags.remove(&e.tag.id);
            }
            ChatEvent::ChatAssigned(e) => {
                self.assignment = e.applied_to(self.assignment);
            }
            ChatEvent::MessagesMarkedAsReceived(e) => {
                self.marks.insert(e.user, e.timestamp);
            }
            ChatEvent::MessagesDelivered(e) => self.marks.extend(e.to.iter().map(|user| (*user, e.timestamp))),
            ChatEvent::ChatResolved(_) => self.resolved = true,
            ChatEvent::ChatReopened(_) => self.resolved = false,
            ChatEvent::ConversationClosed(_) => {
                if let Some(conversation) = &mut self.conversation {
                    conversation.closed = true;
                }
            }
            ChatEvent::ChatErased(_) => self.erased_at = Some(position),
            ChatEvent::MessageStatusReported(_) | ChatEvent::MessageTagged(_) | ChatEvent::MessageUntagged(_) => {}
        }
    }

    fn saw_message(&mut self, timestamp: i64) {
        self.exists = true;
        self.newest_message = self.newest_message.max(timestamp);
    }

    /// The group the chat is assigned to.
    #[must_use]
    pub fn group(&self) -> Option<GroupId> {
        self.assignment.group
    }
}
