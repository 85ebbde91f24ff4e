//! Histories as people and programs take them away: a table, CSV, NDJSON, a report in HTML. The same for the command line
//! and the API.

pub mod csv;
pub mod html;
pub mod ndjson;
pub mod summary;
pub mod text;

use chatledger_application::{
    audit::{ChatAsOf, Names},
    ports::audit::{Span, Subject},
};
use chatledger_domain::Position;
use chrono::{DateTime, SecondsFormat, Utc};

pub use summary::Summary;

/// The form of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A table to read.
    Text,
    /// A table for spreadsheets.
    Csv,
    /// One event a line, with everything that is stored of it.
    Ndjson,
    /// A report with a picture, in one file.
    Html,
}

/// What stands above a history.
#[derive(Clone, Debug)]
pub struct Head {
    /// Whose history it is, in words.
    pub title: String,
    /// The inbox.
    pub tenant: String,
    /// Whose history it is.
    pub subject: Subject,
    /// The part of the ledger.
    pub span: Span,
    /// Of which stored names; of all where there are none.
    pub kinds: Vec<String>,
    /// What the chat was like before the first entry, and at the end, where it is a chat's history.
    pub chat: Option<(Option<ChatAsOf>, ChatAsOf)>,
    /// When it was made.
    pub made_at: DateTime<Utc>,
}

impl Head {
    /// Whose history it is, in words: a chat by number, users and tags by the name that they had at the end of the span.
    #[must_use]
    pub fn title_of(subject: &Subject, names: &Names, at: Position) -> String {
        match subject {
            Subject::Chat(wa_id) => format!("Chat {wa_id}"),
            Subject::User { id, .. } => format!("User {}", names.user(*id, at)),
            Subject::Tag { id, .. } => format!("Tag {}", names.tag(*id, at)),
        }
    }
}

/// A time to the microsecond, RFC 3339 in UTC.
#[must_use]
pub fn exact(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// A time for people, UTC.
#[must_use]
pub fn readable(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S").to_string()
}

/// A POSIX second for people, UTC.
#[must_use]
pub fn readable_second(seconds: i64) -> String {
    DateTime::from_timestamp(seconds, 0).map_or_else(|| seconds.to_string(), readable)
}
