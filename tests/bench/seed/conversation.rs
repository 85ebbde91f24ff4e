//! One customer's chat in the seed: what comes next in it, and what has come.

use std::collections::{BTreeSet, VecDeque};

use chatledger_application::ports::ledger::{Cause, NewEvent, Recorded, StreamId, Unit};
use chatledger_domain::{
    AnyEvent, MessageId, RawJson, TagId, TaggingId,
    chat::{AssignmentChange, Chat, ChatCommand, ChatEvent, Incoming, Outgoing, StatusReport, TagAsItWas},
    contact::{Contact, ContactCommand, PhoneNumber},
    decider::Decider,
};
use chrono::TimeDelta;
use rand::{Rng, seq::IndexedRandom};

use super::{Inbox, PACE, bodies, new_events};

/// Turns of a visit to the chat.
const TURNS: usize = 24;

/// What WhatsApp still owes a message of ours.
enum Owed {
    Answer(MessageId),
    Status(MessageId, String, &'static str),
}

/// A message that can be tagged.
struct Message {
    id: MessageId,
    waba_id: String,
    tags: BTreeSet<TagId>,
}

/// A tagging of a message that stands.
struct Tagging {
    id: TaggingId,
    message_id: MessageId,
    waba_id: Option<String>,
    tag: TagAsItWas,
}

/// A customer and its chat, as far as the ledger has them.
pub(super) struct Conversation {
    wa_id: String,
    chat: Chat,
    contact: Contact,
    /// Sequences of chat and contact.
    sequences: [i64; 2],
    /// The newest message.
    message: Option<Message>,
    taggings: Vec<Tagging>,
    owed: VecDeque<Owed>,
    turns: usize,
}

impl Conversation {
    pub(super) fn new(index: usize) -> Self {
        Self {
            wa_id: bodies::customer(index),
            chat: Chat::default(),
            contact: Contact::default(),
            sequences: [0; 2],
            message: None,
            taggings: Vec::new(),
            owed: VecDeque::new(),
            turns: 0,
        }
    }

    /// What is recorded next; `None` when the visit is over, and another may begin.
    pub(super) fn next(&mut self, inbox: &mut Inbox) -> Option<Unit> {
        while self.turns < TURNS {
            self.turns += 1;
            inbox.now += TimeDelta::milliseconds(PACE);
            if let Some(unit) = self.turn(inbox) {
                return Some(unit);
            }
        }
        self.turns = 0;
        None
    }

    /// One turn; `None` where the rules make nothing of it.
    fn turn(&mut self, inbox: &mut Inbox) -> Option<Unit> {
        if let Some(owed) = self.owed.pop_front() {
            return self.pay(inbox, owed);
        }
        let now = inbox.now.timestamp();
        if !self.chat.exists {
            return self.receive(inbox);
        }
        let actor = inbox.somebody();
        let by = Cause::User { id: actor.user.0 };
        let tag = inbox.tags.choose(&mut inbox.rng)?.clone();
        let command = match inbox.rng.random_range(0..100) {
            0..30 => return self.receive(inbox),
            30..50 => {
                let (message_id, message) = (MessageId(inbox.uuid()), bodies::outgoing(&mut inbox.rng, &self.wa_id));
                let kind = "text".to_owned();
                let outgoing = Outgoing { message_id, kind, context: None, message, rendered: None };
                let (actor, free_entry, counted) = ((*actor).clone(), false, true);
                let send = ChatCommand::SendMessage { actor, outgoing, free_entry, counted, now };
                let events = self.decide(inbox, send);
                self.owed.extend(events.first().map(|_| Owed::Answer(message_id)));
                return self.unit(inbox, events, by, "integration");
            }
            50..65 => {
                let timestamp = self.chat.newest_message;
                ChatCommand::MarkAsReceived { actor: (*actor).clone(), timestamp, now }
            }
            65..75 => {
                let extra = Some(RawJson::from(&serde_json::json!({"reason": "seed"})));
                ChatCommand::TagChat { actor: (*actor).clone(), tag, extra, now }
            }
            75..80 => {
                let (tag_id, tagging_id) = self.chat.tags.first_key_value().map(|(tag, tagging)| (*tag, *tagging))?;
                let tag = inbox.tags.iter().find(|tag| tag.id == tag_id)?.clone();
                let done_by = Some(actor.user);
                ChatCommand::UntagChat { actor: None, done_by, tagging_id, tag, extra: None, now }
            }
            80..85 => {
                let message = self.message.as_ref().filter(|message| !message.tags.contains(&tag.id))?;
                let (message_id, waba_id) = (message.id, Some(message.waba_id.clone()));
                ChatCommand::TagMessage { actor: (*actor).clone(), message_id, waba_id, tag, extra: None, now }
            }
            85..88 => {
                let Tagging { id: tagging_id, message_id, waba_id, tag } = self.taggings.pop()?;
                let done_by = Some(actor.user);
                let (actor, extra) = (None, None);
                ChatCommand::UntagMessage { actor, done_by, tagging_id, message_id, waba_id, tag, extra, now }
            }
            88..95 => {
                let user = inbox.rng.random_bool(0.7).then_some(actor.user);
                let group = inbox.groups.choose(&mut inbox.rng).copied();
                let change = AssignmentChange { user: Some(user), group: Some(group) };
                ChatCommand::Assign { actor: (*actor).clone(), change, now }
            }
            95..97 => ChatCommand::Resolve { actor: (*actor).clone(), resolved: !self.chat.resolved, now },
            _ => return self.note(inbox, by),
        };
        let events = self.decide(inbox, command);
        self.unit(inbox, events, by, "integration")
    }

    /// The customer writes.
    fn receive(&mut self, inbox: &mut Inbox) -> Option<Unit> {
        let now = inbox.now.timestamp();
        let (message_id, waba_id) = (MessageId(inbox.uuid()), bodies::waba_id(&mut inbox.rng));
        let (kind, message) = bodies::incoming(&mut inbox.rng, &self.wa_id, &waba_id, now);
        self.message = Some(Message { id: message_id, waba_id: waba_id.clone(), tags: BTreeSet::new() });
        let kind = kind.to_owned();
        let incoming = Incoming { message_id, waba_id, timestamp: now, kind, context: None, referral: false, message };
        let mut events = self.decide(inbox, ChatCommand::ReceiveMessage { incoming, now });
        let name = match &self.contact.name {
            Some(name) => name.clone(),
            None => {
                let (first, last) = bodies::name(&mut inbox.rng);
                format!("{first} {last}")
            }
        };
        let profile = bodies::profile(&name, &self.wa_id);
        events.extend(self.decide_contact(inbox, ContactCommand::SeeProfile { name: Some(name), profile }));
        self.unit(inbox, events, Cause::Whatsapp, "whatsapp")
    }

    /// Somebody writes the customer's number into the address book.
    fn note(&mut self, inbox: &mut Inbox, by: Cause) -> Option<Unit> {
        let number = PhoneNumber { phone_number: format!("+{}", self.wa_id), description: "mobile".to_owned() };
        let phone_numbers = Some(vec![number]);
        let done_by = Some(inbox.somebody().user);
        let upsert = ContactCommand::Upsert { name: None, phone_numbers, email_addresses: None, done_by };
        let events = self.decide_contact(inbox, upsert);
        self.unit(inbox, events, by, "integration")
    }

    /// What WhatsApp owes a message comes.
    fn pay(&mut self, inbox: &mut Inbox, owed: Owed) -> Option<Unit> {
        let now = inbox.now.timestamp();
        match owed {
            Owed::Answer(message_id) => {
                let waba_id = bodies::waba_id(&mut inbox.rng);
                let response = bodies::answer(&self.wa_id, &waba_id);
                for status in ["sent", "delivered", "read"] {
                    self.owed.push_back(Owed::Status(message_id, waba_id.clone(), status));
                }
                let events = self.decide(inbox, ChatCommand::AcceptMessage { message_id, waba_id, response });
                self.unit(inbox, events, Cause::System { part: "sender".to_owned() }, "system")
            }
            Owed::Status(message_id, waba_id, status) => {
                let report = bodies::status(&self.wa_id, &waba_id, message_id, status, now);
                let (message_id, status) = (Some(message_id), status.to_owned());
                let report = StatusReport { waba_id, message_id, status, timestamp: now, report };
                let events = self.decide(inbox, ChatCommand::ReportStatus { report });
                self.unit(inbox, events, Cause::Whatsapp, "whatsapp")
            }
        }
    }

    fn decide(&self, inbox: &Inbox, command: ChatCommand) -> Vec<NewEvent> {
        let stream = StreamId { aggregate_type: Chat::TYPE, aggregate_id: self.wa_id.clone() };
        new_events(&stream, self.sequences[0], self.chat.decide(command).unwrap_or_default(), inbox.now)
    }

    fn decide_contact(&self, inbox: &Inbox, command: ContactCommand) -> Vec<NewEvent> {
        let stream = StreamId { aggregate_type: Contact::TYPE, aggregate_id: self.wa_id.clone() };
        new_events(&stream, self.sequences[1], self.contact.decide(command).unwrap_or_default(), inbox.now)
    }

    fn unit(&self, inbox: &mut Inbox, events: Vec<NewEvent>, actor: Cause, family: &str) -> Option<Unit> {
        let metadata = inbox.metadata(actor, family);
        (!events.is_empty()).then_some(Unit { tenant: inbox.tenant, events, relies_on: Vec::new(), metadata })
    }

    /// Takes over what was recorded.
    pub(super) fn happened(&mut self, recorded: &[Recorded]) {
        for recorded in recorded {
            match &recorded.event {
                AnyEvent::Chat(event) => {
                    self.chat.evolve(event, recorded.position);
                    self.sequences[0] = recorded.sequence;
                    self.tagged(event, TaggingId(recorded.position.0));
                }
                AnyEvent::Contact(event) => {
                    self.contact.evolve(event, recorded.position);
                    self.sequences[1] = recorded.sequence;
                }
                _ => {}
            }
        }
    }

    fn tagged(&mut self, event: &ChatEvent, id: TaggingId) {
        let ChatEvent::MessageTagged(event) = event else { return };
        if let Some(message) = self.message.as_mut().filter(|message| message.id == event.message_id) {
            message.tags.insert(event.tag.id);
        }
        let (message_id, waba_id, tag) = (event.message_id, event.waba_id.clone(), event.tag.clone());
        self.taggings.push(Tagging { id, message_id, waba_id, tag });
    }
}
