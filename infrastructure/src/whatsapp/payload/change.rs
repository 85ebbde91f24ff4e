//! One change of an entry, or the whole of a flat body: which field it is, and what of it is kept.

use chatledger_application::ports::whatsapp::{Call, Envelope, InboundMessage, Item, Routed, Unreadable};
use chatledger_domain::whatsapp_account::ERRORS;
use metrics::counter;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::{
    element::{self, Element, Person},
    envelope::{Part, entry_with, envelope_of},
    excerpt,
    fields::{id, is_too_deep, list, object},
};

/// Fields whose notices are kept.
const NOTICES: &[&str] = &[
    "account_alerts",
    "account_review_update",
    "account_update",
    "business_capability_update",
    "phone_number_name_update",
    "phone_number_quality_update",
    "security",
];

/// Fields that Meta is known to send and nobody here needs. Any other is new to us and goes to quarantine.
const IGNORED: &[&str] = &[
    "account_settings_update",
    "automatic_events",
    "business_status_update",
    "business_username_update",
    "calls",
    "flows",
    "group_lifecycle_update",
    "group_participants_update",
    "group_settings_update",
    "group_status_update",
    "history",
    "message_template_components_update",
    "message_template_quality_update",
    "messaging_handovers",
    "partner_solutions",
    "payment_configuration_update",
    "smb_app_state_sync",
    "standby",
    "template_category_update",
    "template_correct_category_detection",
    "tracking_events",
    "user_id_update",
    "user_preferences",
];

/// A message as it was read, before its contact is found.
type Read = Element<(InboundMessage, element::Sender)>;

/// Where elements came from.
pub(super) struct Place {
    /// WhatsApp's id of the number, where the envelope tells.
    pub(super) phone_number_id: Option<String>,
    /// What surrounds them.
    pub(super) envelope: Envelope,
}

impl Place {
    fn keep(&self, item: Item, call: &mut Call) {
        let (phone_number_id, envelope) = (self.phone_number_id.clone(), self.envelope.clone());
        call.items.push(Routed { phone_number_id, item, envelope });
    }

    fn refuse(&self, part: Part, element: &RawValue, reason: String, call: &mut Call) {
        let body = envelope_of(&self.envelope, part, element.get());
        call.unreadable.push(Unreadable { phone_number_id: self.phone_number_id.clone(), reason, body });
    }
}

/// Reads one change. What cannot be read is put aside.
pub(super) fn read(entry_id: &str, time: &str, change: &RawValue, call: &mut Call) {
    let mut phone_number_id = None;
    if let Err(reason) = try_read(entry_id, time, change, &mut phone_number_id, call) {
        call.unreadable.push(Unreadable { phone_number_id, reason, body: entry_with(entry_id, change.get()) });
    }
}

fn try_read(
    entry_id: &str,
    time: &str,
    change: &RawValue,
    phone_number_id: &mut Option<String>,
    call: &mut Call,
) -> Result<(), String> {
    let [field, value] = object(change, &["field", "value"]).map_err(|reason| format!("`changes`: {reason}"))?;
    let value = value.ok_or("`value` is missing")?;
    let [metadata, contacts, messages, statuses, errors, echoes] =
        object(value, &["metadata", "contacts", "messages", "statuses", "errors", "message_echoes"])
            .map_err(|reason| format!("`value`: {reason}"))?;
    // A call by the letter of the Service API's source names no field; what it brings tells it all the same.
    let field = match field {
        None if messages.or(statuses).is_some() => "messages".to_owned(),
        field => id(field, "field")?,
    };
    *phone_number_id = metadata.and_then(number_of);
    let envelope = |metadata: Option<&RawValue>| Envelope::Cloud {
        entry_id: entry_id.to_owned(),
        field: field.clone(),
        metadata: metadata.map(|metadata| metadata.get().to_owned()).unwrap_or_default(),
    };
    let place = Place { phone_number_id: phone_number_id.clone(), envelope: envelope(metadata) };
    let fingerprint = || fingerprint(&field, entry_id, time, value.get());
    match field.as_str() {
        "messages" => {
            let source = errors.map(|_| fingerprint()).unwrap_or_default();
            read_lists(place, [contacts, messages, statuses, errors], &source, call)
        }
        "smb_message_echoes" | "message_echoes" => {
            for echo in list(echoes.or(messages), "message_echoes")? {
                keep(&place, Part::Echo, echo, element::echo(echo), call);
            }
            Ok(())
        }
        "message_template_status_update" => {
            if is_too_deep(value.get()) {
                return Err("nested too deep".to_owned());
            }
            let names = ["message_template_name", "message_template_language", "event"];
            let [name, language, event] = object(value, &names)?;
            let report = value.into();
            let (name, language) = (id(name, names[0])?, id(language, names[1])?);
            let status = id(event, names[2])?.to_lowercase();
            place.keep(Item::TemplateStatus { name, language, status, report, fingerprint: fingerprint() }, call);
            Ok(())
        }
        notice if NOTICES.contains(&notice) => {
            if is_too_deep(value.get()) {
                return Err("nested too deep".to_owned());
            }
            let (report, fingerprint) = (value.into(), fingerprint());
            place.keep(Item::Notice { field, report, fingerprint }, call);
            Ok(())
        }
        ignored if IGNORED.contains(&ignored) => {
            counter!("chatledger_whatsapp_ignored_total", "what" => "field").increment(1);
            Ok(())
        }
        unknown => Err(format!("unknown `field` {}", excerpt(unknown))),
    }
}

fn number_of(metadata: &RawValue) -> Option<String> {
    let [number] = object(metadata, &["phone_number_id"]).ok()?;
    let number = number?;
    // Some partners write it as a number.
    if number.get().starts_with('"') { id(Some(number), "").ok() } else { Some(number.get().to_owned()) }
}

/// Reads `contacts`, `messages`, `statuses`, `errors` of either form; `source` tells the call apart from others.
///
/// # Errors
/// When one of them is not a list; then nothing of them was kept.
pub(super) fn read_lists(
    place: Place,
    lists: [Option<&RawValue>; 4],
    source: &str,
    call: &mut Call,
) -> Result<(), String> {
    let [contacts, messages, statuses, errors] = lists;
    let (contacts, messages) = (list(contacts, "contacts")?, list(messages, "messages")?);
    let (statuses, errors) = (list(statuses, "statuses")?, list(errors, "errors")?);
    let mut people = Vec::with_capacity(contacts.len());
    for contact in contacts {
        match element::person(contact) {
            Ok(person) => people.push(person),
            Err(reason) => place.refuse(Part::Contact, contact, format!("`contacts`: {reason}"), call),
        }
    }
    let messages: Vec<_> = messages.into_iter().map(|raw| (raw, element::message(raw))).collect();
    let one_sender = has_one_sender(&messages);
    for (raw, read) in messages {
        let read = read.map(|read| {
            read.map(|(mut message, sender)| {
                if let Some(person) = sender.find(&people, one_sender) {
                    message.name.clone_from(&person.name);
                    message.contact = Some(person.contact.into());
                }
                Item::Message(message)
            })
        });
        keep(&place, Part::Message, raw, read, call);
    }
    for status in statuses {
        keep(&place, Part::Status, status, element::status(status), call);
    }
    for (n, error) in errors.into_iter().enumerate() {
        if is_too_deep(error.get()) {
            place.refuse(Part::Error, error, "nested too deep".to_owned(), call);
            continue;
        }
        // An error says neither what it is about nor when: it is new where the call that brings it is.
        let fingerprint = fingerprint(ERRORS, source, &n.to_string(), error.get());
        place.keep(Item::Notice { field: ERRORS.to_owned(), report: error.into(), fingerprint }, call);
    }
    Ok(())
}

fn has_one_sender(messages: &[(&RawValue, Result<Read, String>)]) -> bool {
    let mut senders = messages.iter().filter_map(|(_, read)| match read {
        Ok(Element::Kept((message, _))) => Some(&message.wa_id),
        _ => None,
    });
    let first = senders.next();
    senders.all(|sender| Some(sender) == first)
}

fn keep(place: &Place, part: Part, raw: &RawValue, read: Result<Element<Item>, String>, call: &mut Call) {
    match read {
        Ok(Element::Kept(item)) => place.keep(item, call),
        Ok(Element::OfGroup) => counter!("chatledger_whatsapp_ignored_total", "what" => "group").increment(1),
        Err(reason) => place.refuse(part, raw, reason, call),
    }
}

/// Tells repeats of a notice apart from new ones: a template can be approved twice, with a pause between.
fn fingerprint(field: &str, entry_id: &str, time: &str, value: &str) -> String {
    let mut hash = Sha256::new();
    for part in [field, entry_id, time, value] {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}

impl element::Sender {
    fn find<'p, 'a>(&self, people: &'p [Person<'a>], one_sender: bool) -> Option<&'p Person<'a>> {
        match people {
            [person] if one_sender => Some(person),
            people => people.iter().find(|person| self.is(person)),
        }
    }

    fn is(&self, person: &Person<'_>) -> bool {
        let same = |mine: &Option<String>, theirs: &Option<String>| mine.is_some() && mine == theirs;
        same(&self.from, &person.wa_id) || same(&self.user, &person.user) || same(&self.from, &person.user)
    }
}
