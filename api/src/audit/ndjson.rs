//! A history as NDJSON: one event a line, with everything that is stored of it, and what it says in words.

use std::io::Write;

use chatledger_application::{
    audit::{Entry, Label, Who},
    ports::audit::StoredEvent,
};
use serde::Serialize;
use serde_json::value::RawValue;

use super::exact;

#[derive(Serialize)]
struct Line<'a> {
    position: i64,
    recorded_at: String,
    occurred_at: String,
    kind: &'a str,
    version: &'a str,
    aggregate_type: &'a str,
    aggregate_id: &'a str,
    sequence: i64,
    who: Caller<'a>,
    on_behalf_of: Option<Named<'a>>,
    what: &'a str,
    family: &'a str,
    correlation_id: &'a str,
    causation: Option<i64>,
    idempotency_key: Option<&'a str>,
    payload_hash: &'a str,
    hash: &'a str,
    erased_at: Option<String>,
    payload: Box<RawValue>,
    metadata: Box<RawValue>,
}

#[derive(Serialize)]
struct Caller<'a> {
    kind: &'a str,
    id: Option<i64>,
    name: Option<&'a str>,
}

#[derive(Serialize)]
struct Named<'a> {
    id: i64,
    name: Option<&'a str>,
}

impl<'a> From<&'a Who> for Caller<'a> {
    fn from(who: &'a Who) -> Self {
        Self { kind: who.kind(), id: who.id(), name: who.name() }
    }
}

impl<'a> From<&'a Label> for Named<'a> {
    fn from(label: &'a Label) -> Self {
        Self { id: label.id, name: label.name.as_deref() }
    }
}

/// Writes one line.
///
/// # Errors
/// When nothing can be written.
pub fn write(output: &mut impl Write, entry: &Entry) -> std::io::Result<()> {
    let stored = &entry.stored;
    let StoredEvent { event_type, event_version, aggregate_type, aggregate_id, .. } = stored;
    let line = Line {
        position: stored.position.0,
        recorded_at: exact(stored.recorded_at),
        occurred_at: exact(stored.occurred_at),
        kind: event_type,
        version: event_version,
        aggregate_type,
        aggregate_id,
        sequence: stored.sequence,
        who: (&entry.who).into(),
        on_behalf_of: entry.on_behalf_of.as_ref().map(Into::into),
        what: &entry.what,
        family: &entry.family,
        correlation_id: &entry.correlation_id,
        causation: entry.causation,
        idempotency_key: stored.idempotency_key.as_deref(),
        payload_hash: &stored.payload_hash,
        hash: &stored.hash,
        erased_at: stored.erased_at.map(exact),
        payload: on_one_line(&stored.payload),
        metadata: on_one_line(&stored.metadata),
    };
    serde_json::to_writer(&mut *output, &line)?;
    output.write_all(b"\n")
}

/// Stored JSON as it is, but for line breaks between its values: WhatsApp's own objects may have some.
fn on_one_line(json: &str) -> Box<RawValue> {
    let text = if json.contains(['\n', '\r']) { json.replace(['\n', '\r'], " ") } else { json.to_owned() };
    // What the database has taken is JSON; the second arm is for a column that somebody has tampered with.
    RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned())
}
