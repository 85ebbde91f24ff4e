//! Puts one element back into an envelope of its own, so that what was put aside can be read again.

use std::fmt::Write;

use chatledger_application::ports::whatsapp::{Envelope, Item, Routed};
use chatledger_domain::whatsapp_account::ERRORS;

/// Which list of the envelope an element belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// `contacts`.
    Contact,
    /// `messages`.
    Message,
    /// `statuses`.
    Status,
    /// `errors`.
    Error,
    /// `message_echoes`.
    Echo,
    /// None: the element is the change's `value` itself.
    Value,
}

impl Part {
    fn list(self) -> Option<&'static str> {
        match self {
            Self::Contact => Some("contacts"),
            Self::Message => Some("messages"),
            Self::Status => Some("statuses"),
            Self::Error => Some(ERRORS),
            Self::Echo => Some("message_echoes"),
            Self::Value => None,
        }
    }
}

/// A body that holds this element alone.
#[must_use]
pub fn envelope_of(envelope: &Envelope, part: Part, element: &str) -> Vec<u8> {
    with_contact(envelope, part, element, None)
}

/// A body that holds this item alone, with the contact that came with it.
#[must_use]
pub fn body_of(routed: &Routed) -> Vec<u8> {
    let (part, element, contact) = match &routed.item {
        Item::Message(message) => (Part::Message, &message.message, message.contact.as_ref()),
        Item::Echo(echo) => (Part::Echo, &echo.message, None),
        Item::Status(status) => (Part::Status, &status.report, None),
        Item::Notice { field, report, .. } if field == ERRORS => (Part::Error, report, None),
        Item::TemplateStatus { report, .. } | Item::Notice { report, .. } => (Part::Value, report, None),
    };
    with_contact(&routed.envelope, part, element.text(), contact.map(|contact| contact.text()))
}

fn with_contact(envelope: &Envelope, part: Part, element: &str, contact: Option<&str>) -> Vec<u8> {
    let lists = part.list().map(|list| match contact {
        Some(contact) => format!(r#""contacts":[{contact}],"{list}":[{element}]"#),
        None => format!(r#""{list}":[{element}]"#),
    });
    match (envelope, lists) {
        (Envelope::Flat, Some(lists)) => format!("{{{lists}}}").into_bytes(),
        (Envelope::Flat, None) => element.as_bytes().to_vec(),
        (Envelope::Cloud { entry_id, field, .. }, None) => cloud(entry_id, field, element),
        (Envelope::Cloud { entry_id, field, metadata }, Some(lists)) => {
            let value = if metadata.is_empty() {
                format!("{{{lists}}}")
            } else {
                format!(r#"{{"messaging_product":"whatsapp","metadata":{metadata},{lists}}}"#)
            };
            cloud(entry_id, field, &value)
        }
    }
}

fn cloud(entry_id: &str, field: &str, value: &str) -> Vec<u8> {
    let mut change = String::with_capacity(value.len() + 64);
    // Writing to a string cannot fail.
    let _ = write!(change, r#"{{"field":{},"value":{value}}}"#, quoted(field));
    entry_with(entry_id, &change)
}

/// A body with one change, given as text.
pub(super) fn entry_with(entry_id: &str, change: &str) -> Vec<u8> {
    body_with(&format!(r#"{{"id":{},"changes":[{change}]}}"#, quoted(entry_id)))
}

/// A body with one entry, given as text.
pub(super) fn body_with(entry: &str) -> Vec<u8> {
    format!(r#"{{"object":"whatsapp_business_account","entry":[{entry}]}}"#).into_bytes()
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
