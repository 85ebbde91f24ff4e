//! The rules of chats.

use super::{
    Chat, ChatCommand, ChatErased, ChatEvent, ChatRefusal, ChatReopened, ChatResolved, ChatTagged, ChatUntagged,
    ConversationClosed, Echo, Incoming, MessageAccepted, MessageEchoed, MessageOutcomeUnknown, MessageQueued,
    MessageReceived, MessageRejected, MessageStatusReported, MessageTagged, MessageUntagged, MessagesDelivered,
    MessagesMarkedAsReceived, Outgoing, Pending, StatusReport, event::TagAsItWas, opens_window,
};
use crate::{
    chat::ChatAssigned,
    decider::Decider,
    ids::{MessageId, Position, TaggingId, UserId},
    permission::{Actor, Scope},
    raw_json::RawJson,
    window,
};

type Decision = Result<Vec<ChatEvent>, ChatRefusal>;

impl Decider for Chat {
    const TYPE: &'static str = "Chat";
    type Command = ChatCommand;
    type Event = ChatEvent;
    type Refusal = ChatRefusal;

    fn decide(&self, command: ChatCommand) -> Decision {
        match command {
            ChatCommand::ReceiveMessage { incoming, now } => Ok(vec![self.received(incoming, now).into()]),
            ChatCommand::EchoMessage { echo } => Ok(vec![echoed(echo).into()]),
            ChatCommand::ReportStatus { report } => Ok(self.report(report)),
            ChatCommand::SendMessage { actor, outgoing, free_entry, counted, now } => {
                self.send(&actor, outgoing, (free_entry, counted), now)
            }
            ChatCommand::AcceptMessage { message_id, waba_id, response } => {
                let accepted = MessageAccepted { message_id, waba_id, response: Some(response) };
                Ok(self.pending.get(&message_id).map(|_| accepted.into()).into_iter().collect())
            }
            ChatCommand::RejectMessage { message_id, errors } => {
                let rejected = MessageRejected { message_id, errors };
                Ok(self.pending.get(&message_id).map(|_| rejected.into()).into_iter().collect())
            }
            ChatCommand::LoseOutcome { message_id } => {
                let queued = self.pending.get(&message_id) == Some(&Pending::Queued);
                Ok(if queued { vec![MessageOutcomeUnknown { message_id }.into()] } else { Vec::new() })
            }
            ChatCommand::TagChat { actor, tag, extra, now } => {
                self.check_tagging(&actor)?;
                if self.tags.contains_key(&tag.id) {
                    return Err(ChatRefusal::AlreadyTagged);
                }
                Ok(vec![ChatTagged { tag, extra, done_by: Some(actor.user), timestamp: now }.into()])
            }
            ChatCommand::UntagChat { actor, done_by, tagging_id, tag, extra, now } => {
                self.check_untagging(actor.as_ref())?;
                if self.tags.get(&tag.id) != Some(&tagging_id) {
                    return Err(ChatRefusal::UnknownTagging);
                }
                let extra = self.unless_erased(tagging_id, extra);
                Ok(vec![ChatUntagged { tagging_id, tag, extra, done_by, timestamp: now }.into()])
            }
            ChatCommand::TagMessage { actor, message_id, waba_id, tag, extra, now } => {
                self.tag_message(&actor, message_id, waba_id, tag, extra, now)
            }
            ChatCommand::UntagMessage { actor, done_by, tagging_id, message_id, waba_id, tag, extra, now } => {
                self.check_untagging(actor.as_ref())?;
                let (timestamp, extra) = (now, self.unless_erased(tagging_id, extra));
                Ok(vec![MessageUntagged { tagging_id, message_id, waba_id, tag, extra, done_by, timestamp }.into()])
            }
            ChatCommand::Assign { actor, change, now } => {
                if !self.exists {
                    return Err(ChatRefusal::Unknown);
                }
                if !actor.may_read(self.assignment) {
                    return Err(ChatRefusal::NotReadable);
                }
                Ok(self.assign(&actor, change, now)?.map(ChatEvent::from).into_iter().collect())
            }
            ChatCommand::AssignByRule { change, rule, now } => {
                if !self.exists {
                    return Err(ChatRefusal::Unknown);
                }
                Ok(self.assign_by_rule(change, rule, now).map(ChatEvent::from).into_iter().collect())
            }
            ChatCommand::TakeFrom { user, group, done_by, now } => {
                Ok(self.take_from(user, group, done_by, now).map(ChatEvent::from).into_iter().collect())
            }
            ChatCommand::MarkAsDelivered { to, timestamp } => Ok(self.delivered(to, timestamp)),
            ChatCommand::MarkAsReceived { actor, timestamp, now } => self.mark(&actor, timestamp, now),
            ChatCommand::Resolve { actor, resolved, now } => self.resolve(&actor, resolved, now),
            ChatCommand::RequireConversation { opened_by, may_be_over, now } => {
                self.require_conversation(opened_by, may_be_over, now).map(|()| Vec::new())
            }
            ChatCommand::CloseConversation { actor, opened_by, now } => self.close_conversation(&actor, opened_by, now),
            ChatCommand::Erase { unsent, now } => Ok(self.erase(unsent, now)),
        }
    }

    fn evolve(&mut self, event: &ChatEvent, position: Position) {
        self.after(event, position);
    }
}

impl Chat {
    /// A status that carries our id back also settles a send whose answer is missing.
    fn report(&self, report: StatusReport) -> Vec<ChatEvent> {
        let StatusReport { waba_id, message_id, status, timestamp, report } = report;
        let settled = message_id.filter(|id| self.pending.contains_key(id)).map(|message_id| {
            ChatEvent::from(MessageAccepted { message_id, waba_id: waba_id.clone(), response: None })
        });
        let reported = MessageStatusReported { waba_id, message_id, status, timestamp, report };
        settled.into_iter().chain([reported.into()]).collect()
    }

    /// Permission before window, both before anything is handed to WhatsApp (R-MSG-10).
    fn send(&self, actor: &Actor, outgoing: Outgoing, (free_entry, counted): (bool, bool), now: i64) -> Decision {
        let scope = actor.permissions.can_write_to_chats;
        let writable = if self.exists { actor.may_write(self.assignment) } else { scope != Scope::None };
        if !writable {
            return Err(ChatRefusal::NotWritable);
        }
        let closes_at = window::closes_at(self.last_incoming, self.referred_at, free_entry);
        let outside_window = !window::is_open(closes_at, now);
        if outgoing.kind != "template" && outside_window {
            return Err(ChatRefusal::WindowClosed);
        }
        if outside_window && !counted {
            return Err(ChatRefusal::NotCounted);
        }
        let Outgoing { message_id, kind, context, message, rendered } = outgoing;
        let sender = actor.user;
        let queued =
            MessageQueued { message_id, timestamp: now, kind, sender, context, message, rendered, outside_window };
        let starts = !self.exists && scope != Scope::All;
        let assigned = starts.then_some(ChatAssigned {
            user_set: Some(actor.user),
            done_by: Some(actor.user),
            timestamp: now,
            ..ChatAssigned::default()
        });
        Ok([ChatEvent::from(queued)].into_iter().chain(assigned.map(ChatEvent::from)).collect())
    }

    fn tag_message(
        &self,
        actor: &Actor,
        message_id: MessageId,
        waba_id: Option<String>,
        tag: TagAsItWas,
        extra: Option<RawJson>,
        now: i64,
    ) -> Decision {
        self.check_tagging(actor)?;
        let done_by = Some(actor.user);
        let chat_tagged = (!self.tags.contains_key(&tag.id))
            .then(|| ChatEvent::from(ChatTagged { tag: tag.clone(), extra: extra.clone(), done_by, timestamp: now }));
        let tagged = MessageTagged { message_id, waba_id, tag, extra, done_by, timestamp: now };
        Ok([tagged.into()].into_iter().chain(chat_tagged).collect())
    }

    /// A mark only grows, and never beyond now or the newest message (R-RCV-2).
    fn mark(&self, actor: &Actor, timestamp: i64, now: i64) -> Decision {
        if !self.exists || !actor.may_read(self.assignment) {
            return Err(ChatRefusal::Unknown);
        }
        let timestamp = timestamp.min(now.max(self.newest_message));
        let grows = self.marks.get(&actor.user).is_none_or(|mark| timestamp > *mark);
        let marked = MessagesMarkedAsReceived { user: actor.user, timestamp };
        Ok(if grows { vec![marked.into()] } else { Vec::new() })
    }

    /// Those whose mark grows, in one event; never beyond the newest message, and nothing of a chat that is not there.
    fn delivered(&self, mut to: Vec<UserId>, timestamp: i64) -> Vec<ChatEvent> {
        let timestamp = timestamp.min(self.newest_message);
        to.sort_unstable();
        to.dedup();
        to.retain(|user| self.marks.get(user).is_none_or(|mark| timestamp > *mark));
        if to.is_empty() || !self.exists { Vec::new() } else { vec![MessagesDelivered { to, timestamp }.into()] }
    }

    fn received(&self, incoming: Incoming, now: i64) -> MessageReceived {
        let Incoming { message_id, waba_id, timestamp, kind, context, referral, message } = incoming;
        let reopens = self.resolved && opens_window(&kind);
        MessageReceived { message_id, waba_id, timestamp, received_at: now, kind, context, referral, reopens, message }
    }

    /// For those who may answer in the chat; who may not even read it does not learn of it (R-CHAT-7).
    fn resolve(&self, actor: &Actor, resolved: bool, now: i64) -> Decision {
        if !self.exists || !actor.may_read(self.assignment) {
            return Err(ChatRefusal::Unknown);
        }
        if !actor.may_write(self.assignment) {
            return Err(ChatRefusal::NotWritable);
        }
        let (done_by, timestamp) = (actor.user, now);
        Ok(match resolved {
            same if same == self.resolved => Vec::new(),
            true => vec![ChatResolved { done_by, timestamp }.into()],
            false => vec![ChatReopened { done_by, timestamp }.into()],
        })
    }

    /// Conversations before the newest are over or closed; which, the caller knows.
    fn require_conversation(&self, opened_by: MessageId, may_be_over: bool, now: i64) -> Result<(), ChatRefusal> {
        let newest = self.conversation.filter(|newest| newest.opened_by == opened_by);
        let fits = match newest {
            Some(newest) if may_be_over => !newest.closed,
            Some(newest) => newest.is_active(now),
            None => may_be_over,
        };
        if fits { Ok(()) } else { Err(ChatRefusal::ConversationEnded) }
    }

    fn close_conversation(&self, actor: &Actor, opened_by: MessageId, now: i64) -> Decision {
        let resolved = self.resolve(actor, true, now)?;
        self.require_conversation(opened_by, false, now)?;
        let closed = ConversationClosed { opened_by, done_by: actor.user, timestamp: now };
        Ok([closed.into()].into_iter().chain(resolved).collect())
    }

    /// Messages that WhatsApp certainly does not have are not sent any more; then the chat is forgotten.
    fn erase(&self, unsent: Vec<MessageId>, now: i64) -> Vec<ChatEvent> {
        let queued = |id: &MessageId| self.pending.get(id) == Some(&Pending::Queued);
        let rejected = unsent
            .into_iter()
            .filter(queued)
            .map(|message_id| ChatEvent::from(MessageRejected { message_id, errors: RawJson::empty_list() }));
        rejected.chain([ChatErased { timestamp: now }.into()]).collect()
    }

    /// What was kept with a tagging, unless it is forgotten: the caller may have read it before that.
    fn unless_erased(&self, tagging: TaggingId, extra: Option<RawJson>) -> Option<RawJson> {
        extra.filter(|_| self.erased_at.is_none_or(|at| tagging.0 > at.0))
    }

    fn check_tagging(&self, actor: &Actor) -> Result<(), ChatRefusal> {
        if !actor.permissions.can_use_tags {
            return Err(ChatRefusal::TagsNotAllowed);
        }
        if !self.exists || !actor.may_read(self.assignment) {
            return Err(ChatRefusal::Unknown);
        }
        Ok(())
    }

    /// The chat comes first here: whoever may not read it must not learn that the tagging exists.
    fn check_untagging(&self, actor: Option<&Actor>) -> Result<(), ChatRefusal> {
        let Some(actor) = actor else { return Ok(()) };
        if !actor.may_read(self.assignment) {
            return Err(ChatRefusal::Unknown);
        }
        self.check_tagging(actor)
    }
}

fn echoed(echo: Echo) -> MessageEchoed {
    let Echo { message_id, waba_id, timestamp, kind, context, message } = echo;
    MessageEchoed { message_id, waba_id, timestamp, kind, context, message }
}
