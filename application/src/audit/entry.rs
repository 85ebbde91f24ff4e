//! One line of a history: a recorded event in words, beside everything that was recorded with it.

use std::fmt;

use chatledger_domain::{AnyEvent, UserId, chat::ChatEvent};

use super::{Label, Mentions, Names, words};
use crate::ports::{
    audit::StoredEvent,
    ledger::{Cause, Metadata},
};

/// Who or what caused an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// A user.
    User(Label),
    /// WhatsApp, for its customers or for itself.
    Whatsapp,
    /// A part of the system itself.
    System(String),
    /// What was recorded beside the event cannot be read.
    Unknown,
}

impl Who {
    /// The kind, for programs: `user`, `whatsapp`, `system`, `unknown`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Whatsapp => "whatsapp",
            Self::System(_) => "system",
            Self::Unknown => "unknown",
        }
    }

    /// The user's id, where it is one.
    #[must_use]
    pub fn id(&self) -> Option<i64> {
        if let Self::User(label) = self { Some(label.id) } else { None }
    }

    /// The user's name at the time, or the part of the system.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::User(label) => label.name.as_deref(),
            Self::System(part) => Some(part),
            Self::Whatsapp | Self::Unknown => None,
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(label) => label.fmt(f),
            Self::Whatsapp => f.write_str("WhatsApp"),
            Self::System(part) => write!(f, "the {part}"),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

/// One line of a history.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The event as it is stored.
    pub stored: StoredEvent,
    /// The event as this program reads it; `None` where it cannot.
    pub event: Option<AnyEvent>,
    /// Who or what caused it.
    pub who: Who,
    /// The user in whose name it was done, where that is another.
    pub on_behalf_of: Option<Label>,
    /// What happened, in one sentence without its subject.
    pub what: String,
    /// The API family or door that it came through; empty where unknown.
    pub family: String,
    /// What ties together all that one request or call caused; empty where unknown.
    pub correlation_id: String,
    /// The position of the event that led to it.
    pub causation: Option<i64>,
    /// Whom and what it names.
    pub mentions: Mentions,
}

impl Entry {
    /// Puts an event into words. Never fails: what cannot be read is said to be so.
    #[must_use]
    pub fn new(stored: StoredEvent, mentions: Mentions, names: &Names) -> Self {
        let event = read(&stored);
        let metadata: Option<Metadata> = serde_json::from_str(&stored.metadata).ok();
        let at = stored.position;
        let who = match metadata.as_ref().map(|metadata| &metadata.actor) {
            Some(Cause::User { id }) => Who::User(names.user(UserId(*id), at)),
            Some(Cause::Whatsapp) => Who::Whatsapp,
            Some(Cause::System { part }) => Who::System(words::plain(part)),
            None => Who::Unknown,
        };
        let on_behalf_of = mentions.done_by.filter(|user| who.id() != Some(user.0)).map(|user| names.user(user, at));
        let what = words::of(&stored, event.as_ref(), names);
        let (family, correlation_id, causation) = metadata.map_or_else(Default::default, |metadata| {
            (metadata.family, words::plain(&metadata.correlation_id), metadata.causation)
        });
        Self { stored, event, who, on_behalf_of, what, family, correlation_id, causation, mentions }
    }

    /// The chat's event, where it is one.
    #[must_use]
    pub fn chat_event(&self) -> Option<&ChatEvent> {
        if let Some(AnyEvent::Chat(event)) = &self.event { Some(event) } else { None }
    }
}

/// The event as this program reads it.
pub(super) fn read(stored: &StoredEvent) -> Option<AnyEvent> {
    AnyEvent::read(&stored.aggregate_type, &stored.event_type, &stored.event_version, &stored.payload).ok()
}

/// The user that an event's metadata names.
#[must_use]
pub fn actor_of(stored: &StoredEvent) -> Option<UserId> {
    match serde_json::from_str::<Metadata>(&stored.metadata).ok()?.actor {
        Cause::User { id } => Some(UserId(id)),
        Cause::Whatsapp | Cause::System { .. } => None,
    }
}
