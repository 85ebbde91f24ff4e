//! The elements of a call: messages, echoes, statuses and contacts.

use chatledger_application::ports::whatsapp::{InboundEcho, InboundMessage, InboundStatus, Item, read_callback_data};
use chatledger_domain::WaId;
use serde_json::value::RawValue;

use super::fields::{id, is_too_deep, object, plain, text, timestamp};

/// A readable element.
pub(super) enum Element<T> {
    /// It is recorded.
    Kept(T),
    /// It belongs to a group, which this inbox does not have.
    OfGroup,
}

impl<T> Element<T> {
    pub(super) fn map<U>(self, f: impl FnOnce(T) -> U) -> Element<U> {
        match self {
            Self::Kept(kept) => Element::Kept(f(kept)),
            Self::OfGroup => Element::OfGroup,
        }
    }
}

/// How a message names its sender, to find the contact object.
pub(super) struct Sender {
    /// `from`.
    pub(super) from: Option<String>,
    /// `from_user_id`.
    pub(super) user: Option<String>,
}

/// An object of `contacts`.
pub(super) struct Person<'a> {
    /// `wa_id`.
    pub(super) wa_id: Option<String>,
    /// `user_id`.
    pub(super) user: Option<String>,
    /// A name that can be shown.
    pub(super) name: Option<String>,
    /// The object itself.
    pub(super) contact: &'a RawValue,
}

/// Reads an object of `contacts`.
pub(super) fn person(raw: &RawValue) -> Result<Person<'_>, String> {
    check_depth(raw)?;
    let [wa_id, user, profile] = object(raw, &["wa_id", "user_id", "profile"])?;
    let name = profile.and_then(|profile| object(profile, &["name"]).ok()).and_then(|[name]| plain(name));
    // An unusable name is no name, and never erases one (R-IN-8).
    let name = name.filter(|name| !name.trim().is_empty() && !name.contains('\0'));
    Ok(Person { wa_id: plain(wa_id), user: plain(user), name, contact: raw })
}

/// Reads a customer's message.
pub(super) fn message(raw: &RawValue) -> Result<Element<(InboundMessage, Sender)>, String> {
    check_depth(raw)?;
    let names = ["from", "from_user_id", "id", "timestamp", "type", "context", "referral", "group_id"];
    let [from, user, waba_id, time, kind, context, referral, group] = object(raw, &names)?;
    if group.is_some() {
        return Ok(Element::OfGroup);
    }
    let message = InboundMessage {
        wa_id: customer([from, user]).ok_or("neither `from` nor `from_user_id` is a customer's id")?,
        waba_id: id(waba_id, "id")?,
        timestamp: timestamp(time)?,
        kind: kind_of(kind),
        context: context.and_then(quoted),
        referral: referral.is_some(),
        message: raw.into(),
        name: None,
        contact: None,
    };
    Ok(Element::Kept((message, Sender { from: plain(from), user: plain(user) })))
}

/// Reads a message that the business wrote from the phone app.
pub(super) fn echo(raw: &RawValue) -> Result<Element<Item>, String> {
    check_depth(raw)?;
    let names = ["to", "to_user_id", "id", "timestamp", "type", "context", "group_id"];
    let [to, user, waba_id, time, kind, context, group] = object(raw, &names)?;
    if group.is_some() {
        return Ok(Element::OfGroup);
    }
    Ok(Element::Kept(Item::Echo(InboundEcho {
        wa_id: customer([to, user]).ok_or("neither `to` nor `to_user_id` is a customer's id")?,
        waba_id: id(waba_id, "id")?,
        timestamp: timestamp(time)?,
        kind: kind_of(kind),
        context: context.and_then(quoted),
        message: raw.into(),
    })))
}

/// Reads a status of a message of ours.
pub(super) fn status(raw: &RawValue) -> Result<Element<Item>, String> {
    check_depth(raw)?;
    let names = [
        "id",
        "status",
        "timestamp",
        "biz_opaque_callback_data",
        "recipient_id",
        "recipient_user_id",
        "recipient_type",
        "message",
    ];
    let [waba_id, status, time, ours, recipient, user, recipient_type, message] = object(raw, &names)?;
    let ours = ours.and_then(text).and_then(|data| read_callback_data(&data));
    if ours.is_none() && recipient_type.and_then(text).as_deref() == Some("group") {
        return Ok(Element::OfGroup);
    }
    let (message_id, wa_id) = ours.unzip();
    // The newest on-premises form moved the recipient into `message`.
    let inner = message.and_then(|message| object(message, &["recipient_id"]).ok()).and_then(|[recipient]| recipient);
    let wa_id = wa_id.or_else(|| customer([recipient, user, inner]));
    Ok(Element::Kept(Item::Status(InboundStatus {
        wa_id: wa_id.ok_or("neither `recipient_id` nor `recipient_user_id` is a customer's id")?,
        waba_id: id(waba_id, "id")?,
        message_id,
        status: id(status, "status")?,
        timestamp: timestamp(time)?,
        report: raw.into(),
    })))
}

fn check_depth(raw: &RawValue) -> Result<(), String> {
    if is_too_deep(raw.get()) { Err("nested too deep".to_owned()) } else { Ok(()) }
}

fn customer<const N: usize>(ids: [Option<&RawValue>; N]) -> Option<WaId> {
    ids.into_iter().flatten().filter_map(text).find_map(|id| WaId::parse(&id).ok())
}

/// WhatsApp's type. A message without a usable one is kept all the same (R-IN-7).
fn kind_of(kind: Option<&RawValue>) -> String {
    id(kind, "type").unwrap_or_else(|_| "unknown".to_owned())
}

fn quoted(context: &RawValue) -> Option<String> {
    let [quoted] = object(context, &["id"]).ok()?;
    id(quoted, "id").ok()
}
