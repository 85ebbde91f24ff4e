//! What happened, in plain words: one sentence without its subject, names as they were at the time.
//!
//! An event that this program cannot read is told by its name. What people wrote is quoted, cut short, and freed of what
//! could steer a terminal or turn a line around.

mod chat;
mod inbox;
mod people;

use std::fmt::Write;

use chatledger_domain::{AnyEvent, GroupId, Position, TagId, UserId};
use chrono::DateTime;

use super::{Label, Names};
use crate::ports::audit::StoredEvent;

/// The longest quotation, in characters.
const QUOTED: usize = 80;

/// What an event says, with the names of its time.
pub(super) fn of(stored: &StoredEvent, event: Option<&AnyEvent>, names: &Names) -> String {
    let speaker = Speaker { names, at: stored.position };
    let mut said = match event {
        Some(event) => speaker.say(event),
        None if stored.erased_at.is_some() => spelled(&stored.event_type),
        None => format!(
            "{} (version {}: this program cannot read it)",
            spelled(&plain(&stored.event_type)),
            plain(&stored.event_version)
        ),
    };
    if let Some(erased) = stored.erased_at {
        let _ = write!(said, " [its content was erased on {}]", erased.format("%Y-%m-%d"));
    }
    said
}

/// Knows what everybody was called when the event was recorded.
struct Speaker<'a> {
    names: &'a Names,
    at: Position,
}

impl Speaker<'_> {
    fn say(&self, event: &AnyEvent) -> String {
        match event {
            AnyEvent::Chat(event) => self.chat(event),
            AnyEvent::Contact(event) => self.contact(event),
            AnyEvent::User(event) => self.of_user(event),
            AnyEvent::Group(event) => self.of_group(event),
            AnyEvent::Admins(event) => self.admins(event),
            AnyEvent::Tag(event) => self.of_tag(event),
            AnyEvent::Webhook(event) => self.webhook(event),
            AnyEvent::RuleEngine(event) => self.rule_engine(event),
            AnyEvent::Tenant(event) => self.tenant(event),
            AnyEvent::ApiToken(event) => self.api_token(event),
            AnyEvent::BulkMessage(event) => self.bulk_message(event),
            AnyEvent::BusinessProfile(event) => self.business_profile(event),
            AnyEvent::Media(event) => self.media(event),
            AnyEvent::SavedResponse(event) => self.saved_response(event),
            AnyEvent::TemplateCatalogue(event) => self.templates(event),
            AnyEvent::WhatsAppAccount(event) => self.account(event),
        }
    }

    fn user(&self, id: UserId) -> Label {
        cleaned(self.names.user(id, self.at))
    }

    fn group(&self, id: GroupId) -> Label {
        cleaned(self.names.group(id, self.at))
    }

    fn tag(&self, id: TagId) -> Label {
        cleaned(self.names.tag(id, self.at))
    }

    fn users<'u>(&self, ids: impl IntoIterator<Item = &'u UserId>) -> String {
        listed(ids.into_iter().map(|id| self.user(*id).to_string()))
    }

    fn groups<'g>(&self, ids: impl IntoIterator<Item = &'g GroupId>) -> String {
        listed(ids.into_iter().map(|id| self.group(*id).to_string()))
    }
}

fn cleaned(label: Label) -> Label {
    Label { name: label.name.as_deref().map(plain), ..label }
}

/// The first ten, and how many more there are.
fn listed(items: impl Iterator<Item = String>) -> String {
    let all: Vec<String> = items.collect();
    match all.len() {
        0 => "nobody".to_owned(),
        1..=10 => all.join(", "),
        more => format!("{} and {} more", all[..10].join(", "), more - 10),
    }
}

/// A stored name as words: `ContactErased` is "contact erased".
fn spelled(event_type: &str) -> String {
    let mut words = String::new();
    for letter in event_type.chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}

/// Text of somebody else, in quotation marks and cut short.
fn quoted(text: &str) -> String {
    let text = plain(text);
    let mut short: String = text.chars().take(QUOTED).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("“{short}”")
}

/// Text on one line, without what could steer a terminal or turn the direction of writing around.
#[must_use]
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => {}
            letter if letter.is_whitespace() || letter.is_control() => {
                if !plain.ends_with(' ') {
                    plain.push(' ');
                }
            }
            letter => plain.push(letter),
        }
    }
    plain.trim().to_owned()
}

/// A POSIX second for people, UTC.
fn time(seconds: i64) -> String {
    let time = DateTime::from_timestamp(seconds, 0);
    time.map_or_else(|| seconds.to_string(), |time| time.format("%Y-%m-%d %H:%M:%S").to_string())
}

/// So many of one or of several.
fn count(number: usize, one: &str, several: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { several })
}

/// `on` or `off`.
fn switch(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

#[cfg(test)]
mod tests;
