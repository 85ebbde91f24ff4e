//! Histories for auditors, and what a chat was like.

use chatledger_application::audit::{AppliedTag, ChatAsOf, Entry, Label, Who};
use serde::Serialize;
use utoipa::ToSchema;

/// A part of a history. The ledger is looked through a bounded part at a time, so `results` may be shorter than `limit`,
/// even empty, while `next` leads on.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditPage<'a> {
    /// The link to the next part; nothing more to come where there is none.
    pub next: Option<String>,
    /// The history is complete up to this position.
    pub seen: i64,
    /// The position up to which the history goes.
    pub through: i64,
    /// The events, in the order in which they were recorded.
    pub results: Vec<AuditEntry<'a>>,
}

/// One event of a history.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditEntry<'a> {
    /// Its place in the inbox's ledger.
    pub position: i64,
    /// When it was recorded, POSIX seconds.
    pub recorded_at: i64,
    /// When it happened, POSIX seconds.
    pub occurred_at: i64,
    /// Its stored name.
    pub kind: &'a str,
    /// What it happened to: `Chat`, `User`, `Tag` …
    pub aggregate_type: &'a str,
    /// Which one.
    pub aggregate_id: &'a str,
    /// Its number among the events of that one.
    pub sequence: i64,
    /// Who or what caused it.
    pub who: AuditActor<'a>,
    /// The user in whose name it was done, where that is another.
    pub on_behalf_of: Option<AuditName<'a>>,
    /// What happened, in words; names are those of the time.
    pub what: &'a str,
    /// The API family or door that it came through.
    pub family: &'a str,
    /// What ties together all that one request caused: its `X-Request-ID`.
    pub correlation_id: &'a str,
    /// The position of the event that led to it.
    pub causation: Option<i64>,
    /// Its link of the ledger's chain of hashes, sha256 in hexadecimal digits.
    pub hash: &'a str,
    /// When its content was erased, POSIX seconds.
    pub erased_at: Option<i64>,
}

/// Who or what caused an event.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditActor<'a> {
    /// `user`, `whatsapp`, `system` or `unknown`.
    pub kind: &'a str,
    /// The user's id.
    pub id: Option<i64>,
    /// The user's name at the time, or the part of the system.
    pub name: Option<&'a str>,
}

/// A user, group or tag with the name that it had at the time.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditName<'a> {
    /// Its id.
    pub id: i64,
    /// Its name at the time.
    pub name: Option<&'a str>,
}

impl<'a> AuditEntry<'a> {
    /// An entry on the wire.
    #[must_use]
    pub fn new(entry: &'a Entry) -> Self {
        let stored = &entry.stored;
        Self {
            position: stored.position.0,
            recorded_at: stored.recorded_at.timestamp(),
            occurred_at: stored.occurred_at.timestamp(),
            kind: &stored.event_type,
            aggregate_type: &stored.aggregate_type,
            aggregate_id: &stored.aggregate_id,
            sequence: stored.sequence,
            who: (&entry.who).into(),
            on_behalf_of: entry.on_behalf_of.as_ref().map(Into::into),
            what: &entry.what,
            family: &entry.family,
            correlation_id: &entry.correlation_id,
            causation: entry.causation,
            hash: &stored.hash,
            erased_at: stored.erased_at.map(|at| at.timestamp()),
        }
    }
}

impl<'a> From<&'a Who> for AuditActor<'a> {
    fn from(who: &'a Who) -> Self {
        Self { kind: who.kind(), id: who.id(), name: who.name() }
    }
}

impl<'a> From<&'a Label> for AuditName<'a> {
    fn from(label: &'a Label) -> Self {
        Self { id: label.id, name: label.name.as_deref() }
    }
}

/// What a chat was like at a moment.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChatState<'a> {
    /// The chat.
    pub wa_id: &'a str,
    /// The newest position that counts.
    pub position: i64,
    /// The moment, POSIX seconds.
    pub time: i64,
    /// The customer's name, as WhatsApp showed it.
    pub name: Option<&'a str>,
    /// The user that had the chat, with the name of that moment.
    pub assigned_to_user: Option<AuditName<'a>>,
    /// The group that had the chat, with the name of that moment.
    pub assigned_group: Option<AuditName<'a>>,
    /// The tags that the chat carried, by id.
    pub tags: Vec<AuditTag<'a>>,
    /// Whether the chat was resolved.
    pub resolved: bool,
    /// Whether the 24-hour window was open.
    pub window_open: bool,
    /// When the window closes or closed, POSIX seconds; `null` where it never opened.
    pub window_closes_at: Option<i64>,
    /// Messages of the customer.
    pub incoming_messages: i64,
    /// Messages of this side, from the phone app too.
    pub outgoing_messages: i64,
    /// The newest message in either direction, POSIX seconds.
    pub newest_message: Option<i64>,
    /// How many events had been recorded of the chat, and of its customer as a contact.
    pub events: i64,
}

/// A tag that a chat carried.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditTag<'a> {
    /// The tag's id.
    pub id: i64,
    /// Its name at that moment.
    pub name: Option<&'a str>,
    /// Its colour at that moment.
    pub web_inbox_color: Option<&'a str>,
    /// The tagging: the position at which the chat was tagged.
    pub tagging_id: i64,
}

impl<'a> From<&'a AppliedTag> for AuditTag<'a> {
    fn from(applied: &'a AppliedTag) -> Self {
        Self {
            id: applied.tag.id,
            name: applied.tag.name.as_deref(),
            web_inbox_color: applied.color.as_deref(),
            tagging_id: applied.tagging,
        }
    }
}

impl<'a> ChatState<'a> {
    /// A state on the wire.
    #[must_use]
    pub fn new(chat: &'a ChatAsOf) -> Self {
        Self {
            wa_id: chat.wa_id.as_str(),
            position: chat.position.0,
            time: chat.time.timestamp(),
            name: chat.name.as_deref(),
            assigned_to_user: chat.user.as_ref().map(Into::into),
            assigned_group: chat.group.as_ref().map(Into::into),
            tags: chat.tags.iter().map(Into::into).collect(),
            resolved: chat.resolved,
            window_open: chat.window_open,
            window_closes_at: chat.window_closes_at,
            incoming_messages: chat.incoming,
            outgoing_messages: chat.outgoing,
            newest_message: chat.newest_message,
            events: chat.events,
        }
    }
}
