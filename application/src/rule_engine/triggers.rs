//! What calls the rule engine: a new message, a message of this side, a tagging (§3.1). Pure. Assignments do not
//! (R-RUL-7).

use std::{collections::HashSet, sync::Arc};

use chatledger_domain::{
    AnyEvent, Decider, MessageId, Position, TagId,
    chat::ChatEvent,
    rule_engine::{Mode, RuleEngine},
};

use crate::{
    ports::ledger::Recorded,
    pushes::{News, Push, PushPage, is_one_append},
};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The customer wrote.
    Incoming,
    /// This side wrote.
    Outgoing,
    /// A message or chat was tagged.
    Tagged(TagId),
    /// A tagging was removed.
    Untagged,
}

/// A chat that a trigger is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriggeredChat {
    /// Its customer.
    pub wa_id: String,
    /// The message in it, by our id; the first where there are several.
    pub message: Option<MessageId>,
}

/// Something that the engine decides on, once.
#[derive(Clone, Debug)]
pub struct Trigger {
    /// The place of its first event; names it for ever.
    pub position: Position,
    /// Who reads the ledger from here on meets it again, whole.
    pub after: Position,
    /// What happened.
    pub kind: Kind,
    /// In which chats: at least one.
    pub chats: Vec<TriggeredChat>,
    /// What a program of the tenant's own is told, in one body (R-RUL-8).
    pub pushes: Vec<Push>,
    /// Who decides, and by which rules: as of this position (R-RUL-9).
    pub engine: Arc<RuleEngine>,
}

/// Finds the triggers of one ledger; knows the engine as of where the ledger is read to.
#[derive(Clone, Debug, Default)]
pub struct Triggers {
    engine: Arc<RuleEngine>,
}

impl Triggers {
    /// With the engine as it is there.
    #[must_use]
    pub fn new(engine: RuleEngine) -> Self {
        Self { engine: Arc::new(engine) }
    }

    /// Whether nothing can call the engine, whatever happens: there is none of the tenant's own, and no rule.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.engine.mode == Mode::Default && self.engine.rules.is_empty()
    }

    /// The triggers of the next page, in order: those on which the engine has something to say.
    pub fn of(&mut self, page: PushPage) -> Vec<Trigger> {
        let engines = self.follow(&page.events);
        let starts: Vec<Position> = page.events.chunk_by(is_one_append).map(|run| run[0].position).collect();
        let mut found: Vec<Trigger> = Vec::new();
        for push in page.pushes {
            if let Some(last) = found.last_mut().filter(|last| is_its_chat(last, &push)) {
                last.pushes.push(push);
                continue;
            }
            let Some((kind, chats)) = what(&push) else { continue };
            let start = starts.iter().rev().find(|start| **start <= push.position).unwrap_or(&push.position);
            let engine = engines.iter().rev().find(|(since, _)| *since < push.position);
            let engine = engine.map_or_else(|| self.engine.clone(), |(_, engine)| engine.clone());
            let (position, after) = (push.position, Position(start.0 - 1));
            found.push(Trigger { position, after, kind, chats, pushes: vec![push], engine });
        }
        found.into_iter().filter_map(concerning).collect()
    }

    /// The engine after each of its events, the one before them first.
    fn follow(&mut self, events: &[Recorded]) -> Vec<(Position, Arc<RuleEngine>)> {
        let mut engines = vec![(Position(0), self.engine.clone())];
        for recorded in events {
            if let AnyEvent::RuleEngine(event) = &recorded.event {
                Arc::make_mut(&mut self.engine).evolve(event, recorded.position);
                engines.push((recorded.position, self.engine.clone()));
            }
        }
        engines
    }
}

/// A tagged message and its chat, tagged with it, are one trigger (R-RUL-8). They are neighbours of one append: a chat
/// that had the tag already could not be tagged with it right after.
fn is_its_chat(trigger: &Trigger, push: &Push) -> bool {
    let event = |push: &Push| push.events.first().map(|recorded| recorded.event.clone());
    let [message] = trigger.pushes.as_slice() else { return false };
    let tags = match (event(message), event(push)) {
        (
            Some(AnyEvent::Chat(ChatEvent::MessageTagged(message))),
            Some(AnyEvent::Chat(ChatEvent::ChatTagged(chat))),
        ) => message.tag.id == chat.tag.id,
        _ => false,
    };
    tags && push.position.0 == message.position.0 + 1 && push.chat(&trigger.chats[0].wa_id).is_some()
}

/// What a push is to the engine; `None` for what does not call it.
fn what(push: &Push) -> Option<(Kind, Vec<TriggeredChat>)> {
    let first = push.events.first()?;
    let one = |message| vec![TriggeredChat { wa_id: first.stream.aggregate_id.clone(), message }];
    match (push.news, &first.event) {
        (News::Call, _) => {
            let chats = incoming(push);
            (!chats.is_empty()).then_some((Kind::Incoming, chats))
        }
        (_, AnyEvent::Chat(event)) => Some(match event {
            ChatEvent::MessageQueued(e) => (Kind::Outgoing, one(Some(e.message_id))),
            ChatEvent::MessageEchoed(e) => (Kind::Outgoing, one(Some(e.message_id))),
            ChatEvent::MessageTagged(e) => (Kind::Tagged(e.tag.id), one(Some(e.message_id))),
            ChatEvent::MessageUntagged(e) => (Kind::Untagged, one(Some(e.message_id))),
            ChatEvent::ChatTagged(e) => (Kind::Tagged(e.tag.id), one(None)),
            ChatEvent::ChatUntagged(_) => (Kind::Untagged, one(None)),
            _ => return None,
        }),
        _ => None,
    }
}

/// The chats of a call in which the customer wrote.
fn incoming(push: &Push) -> Vec<TriggeredChat> {
    let mut seen = HashSet::new();
    let written = push.events.iter().filter_map(|recorded| match &recorded.event {
        AnyEvent::Chat(ChatEvent::MessageReceived(e)) => Some((&recorded.stream.aggregate_id, e.message_id)),
        _ => None,
    });
    let first = written.filter(|(wa_id, _)| seen.insert(*wa_id));
    first.map(|(wa_id, message)| TriggeredChat { wa_id: wa_id.clone(), message: Some(message) }).collect()
}

/// The trigger with what concerns the engine of it; `None` where it has nothing to say.
fn concerning(mut trigger: Trigger) -> Option<Trigger> {
    let engine = &trigger.engine;
    match (engine.mode, trigger.kind) {
        (Mode::Custom, _) => return Some(trigger),
        (Mode::Default, Kind::Incoming) if !engine.matching(None).is_empty() => {
            let push = &trigger.pushes[0];
            // Who has a chat now keeps it, also where it is given up before we come to it (R-RUL-10).
            trigger.chats.retain(|chat| {
                push.chat(&chat.wa_id).is_some_and(|at| at.after.user.is_none() && at.after.group.is_none())
            });
        }
        (Mode::Default, Kind::Tagged(tag)) if !engine.matching(Some(tag)).is_empty() => {}
        (Mode::Default, _) => return None,
    }
    (!trigger.chats.is_empty()).then_some(trigger)
}
