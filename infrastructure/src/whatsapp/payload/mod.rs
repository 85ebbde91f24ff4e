//! Takes the envelope off a webhook call (contract, webhooks §6): both shapes, many entries, one bad element at a time.
//!
//! Text is only looked at, never built into trees: what WhatsApp sent is recorded byte for byte, and a call with one
//! message takes a few microseconds.

mod change;
mod element;
mod envelope;
mod fields;
#[cfg(test)]
mod tests;

use chatledger_application::ports::whatsapp::{Call, Envelope, Unreadable};
use serde_json::value::RawValue;

pub use envelope::{Part, body_of, envelope_of};
pub(super) use fields::entries;
use fields::{Fields, fields, list, text};

/// The body is not a call at all: not UTF-8, not JSON, or not an object. To be answered with 400.
#[derive(Debug, thiserror::Error)]
#[error("not a call: {0}")]
pub struct NotACall(
    /// Why.
    pub &'static str,
);

/// The `object` of every call in the Cloud form.
const OBJECT: &str = "whatsapp_business_account";

/// Reads a call.
///
/// # Errors
/// [`NotACall`]; anything else that is wrong with it is in [`Call::unreadable`].
pub fn read(body: &[u8]) -> Result<Call, NotACall> {
    let body = std::str::from_utf8(body).map_err(|_| NotACall("not UTF-8"))?;
    let Fields { values: [object, entries, contacts, messages, statuses, errors], repeated } =
        fields(body, &["object", "entry", "contacts", "messages", "statuses", "errors"])
            .map_err(|error| NotACall(if error.is_data() { "not an object" } else { "not JSON" }))?;
    let mut call = Call::default();
    let flat = [contacts, messages, statuses, errors];
    let fault = match (repeated, object, entries) {
        (Some(name), ..) => Some(format!("`{name}` occurs twice")),
        (None, Some(object), _) if text(object).as_deref() != Some(OBJECT) => {
            Some(format!("unknown `object` {}", excerpt(object.get())))
        }
        (None, Some(_), entries) => match list(entries, "entry") {
            Ok(entries) => {
                entries.into_iter().for_each(|entry| read_entry(entry, &mut call));
                None
            }
            Err(reason) => Some(reason),
        },
        (None, None, None) if flat.iter().any(Option::is_some) => {
            let place = change::Place { phone_number_id: None, envelope: Envelope::Flat };
            change::read_lists(place, flat, body, &mut call).err()
        }
        (None, None, _) => Some("neither `object` nor `messages` nor `statuses`".to_owned()),
    };
    if let Some(reason) = fault {
        call.unreadable.push(Unreadable { phone_number_id: None, reason, body: body.as_bytes().to_vec() });
    }
    Ok(call)
}

fn read_entry(entry: &RawValue, call: &mut Call) {
    let parts = fields::object(entry, &["id", "time", "changes"])
        .and_then(|[id, time, changes]| Ok((id, time, list(changes, "changes")?)));
    match parts {
        Ok((id, time, changes)) => {
            let id = id.and_then(text).unwrap_or_default();
            let time = time.map_or("", RawValue::get);
            changes.into_iter().for_each(|change| change::read(&id, time, change, call));
        }
        Err(reason) => {
            let reason = format!("`entry`: {reason}");
            call.unreadable.push(Unreadable { phone_number_id: None, reason, body: envelope::body_with(entry.get()) });
        }
    }
}

/// Enough of a text to recognise it in a reason.
fn excerpt(text: &str) -> &str {
    text.char_indices().nth(60).map_or(text, |(end, _)| &text[..end])
}
