//! Writes orders from what was looked up.

use std::{cell::RefCell, collections::HashMap, sync::Arc};

use chatledger_application::{
    ports::{
        bodies::{Body, BodyOrder, Parts},
        ledger::Recorded,
    },
    pushes::{News, Push},
};
use chatledger_domain::{
    AnyEvent, MessageId, UserId, WaId,
    bulk_message::{BulkElementSettled, BulkMessageEvent},
    chat::{ChatAssigned, ChatEvent, MessageReceived, TagAsItWas},
    user::UserEvent,
    whatsapp_account::{Number, WhatsAppAccountEvent},
};
use chatledger_projections::{
    told::Told,
    views::{AssignmentEventView, BulkElementView, ContextView, TagView, TaggingEventView},
};
use serde::Serialize;
use serde_json::json;

use super::{
    body::{Cloud, Key, Unit, bodies},
    status,
    wanted::{based_on, given, reader},
};
use crate::integration::wire::{
    BulkMessageElement, BulkMessageTask, Chat, ChatAssignmentEvent, ChatTaggingEvent, Context, Links, Message,
    MessageTaggingEvent, User,
};

/// A message as the wire shows it, by id, whether it is received, and whether what it quotes is.
type Shown = HashMap<(MessageId, bool, bool), Arc<str>>;

/// Writes the orders of one tenant. What is the same for several readers is written once.
pub(super) struct Rendering<'a> {
    told: &'a Told,
    links: &'a Links<'a>,
    number: Option<Number>,
    shown: RefCell<Shown>,
}

impl<'a> Rendering<'a> {
    pub(super) fn new(told: &'a Told, links: &'a Links<'a>, number: Option<Number>) -> Self {
        Self { told, links, number, shown: RefCell::default() }
    }

    /// The bodies of an order; several where one would be larger than so many bytes.
    pub(super) fn bodies(&self, order: &BodyOrder<'_>, at_most: usize) -> Vec<Body> {
        let mut units = Vec::new();
        for push in &order.pushes {
            for recorded in &push.events {
                self.tell(order, push, recorded, &mut units);
            }
        }
        let cloud = order.parts.cloud.then_some(Cloud(self.number.as_ref()));
        bodies(units, cloud.as_ref(), at_most)
    }

    fn tell(&self, order: &BodyOrder<'_>, push: &Push, recorded: &Recorded, units: &mut Vec<Unit>) {
        let (parts, id) = (&order.parts, recorded.stream.aggregate_id.as_str());
        match &recorded.event {
            AnyEvent::Chat(event) => self.tell_chat(order, push, id, event, units),
            AnyEvent::WhatsAppAccount(WhatsAppAccountEvent::AccountNoticeReceived(e))
                if parts.statuses && parts.statuses_of.is_empty() =>
            {
                units.push(Unit::of(Key::Errors, e.report.text()));
            }
            AnyEvent::User(UserEvent::AvailabilityChanged(e)) if parts.own => {
                let Some(user) = self.told.by_stream.get(id) else { return };
                let mut user = User::new(user, self.links);
                user.profile.is_available = e.is_available;
                let told = json!({ "is_available": e.is_available, "user": user });
                units.push(Unit::of(Key::UserAvailability, told.to_string()));
            }
            AnyEvent::BulkMessage(event) if parts.own => self.tell_bulk(recorded, event, units),
            _ => {}
        }
    }

    fn tell_chat(&self, order: &BodyOrder<'_>, push: &Push, wa_id: &str, event: &ChatEvent, units: &mut Vec<Unit>) {
        let parts = &order.parts;
        match event {
            ChatEvent::MessageReceived(e) if push.news == News::Call => units.extend(self.received(order, wa_id, e)),
            ChatEvent::MessageStatusReported(e) if is_told(parts, wa_id) => {
                let ours = self.told.by_waba_id.get(&e.waba_id).copied().or(e.message_id);
                units.push(Unit::of(Key::Statuses, status::relayed(e.report.text(), ours)));
            }
            ChatEvent::ChatAssigned(e) => {
                units.extend(parts.own.then(|| self.assignment(wa_id, e)).flatten());
                self.tell_given(order, push, wa_id, e, units);
            }
            _ if !parts.own => {}
            ChatEvent::MessageReceived(_) | ChatEvent::ChatResolved(_) | ChatEvent::ChatReopened(_) => {
                let resolved = push.news == News::Resolved(true);
                units.push(Unit::of(Key::ChatResolved, json!({ "wa_id": wa_id, "resolved": resolved }).to_string()));
            }
            ChatEvent::MessageQueued(e) => units.extend(self.outgoing(order, e.message_id)),
            ChatEvent::MessageEchoed(e) => units.extend(self.outgoing(order, e.message_id)),
            ChatEvent::MessageTagged(e) => {
                let event = self.tagging(wa_id, &e.tag, e.extra.as_ref(), e.done_by, e.timestamp, true);
                units.extend(event.map(|event| self.message_tagging(event, e.message_id, e.waba_id.as_deref())));
                if parts.legacy
                    && let Some(message) = self.message(e.message_id, order.reader)
                {
                    let told = Legacy { what: "message", shown: raw(&message), tag: &e.tag, extra: e.extra.as_ref() };
                    units.push(Unit::of(Key::TaggedMessages, text(&told)));
                }
            }
            ChatEvent::MessageUntagged(e) => {
                let event = self.tagging(wa_id, &e.tag, e.extra.as_ref(), e.done_by, e.timestamp, false);
                units.extend(event.map(|event| self.message_tagging(event, e.message_id, e.waba_id.as_deref())));
            }
            ChatEvent::ChatTagged(e) => {
                let event = self.tagging(wa_id, &e.tag, e.extra.as_ref(), e.done_by, e.timestamp, true);
                units.extend(event.map(|event| self.chat_tagging(&event)));
                if parts.legacy
                    && let Some(chat) = self.told.chats.get(&(reader(order), wa_id.to_owned()))
                {
                    let chat = text(&Chat::new(chat, self.links));
                    let told = Legacy { what: "chat", shown: raw(&chat), tag: &e.tag, extra: e.extra.as_ref() };
                    units.push(Unit::of(Key::TaggedChats, text(&told)));
                }
            }
            ChatEvent::ChatUntagged(e) => {
                let event = self.tagging(wa_id, &e.tag, e.extra.as_ref(), e.done_by, e.timestamp, false);
                units.extend(event.map(|event| self.chat_tagging(&event)));
            }
            _ => {}
        }
    }

    /// WhatsApp's message, as it was and as ours.
    fn received(&self, order: &BodyOrder<'_>, wa_id: &str, event: &MessageReceived) -> Option<Unit> {
        let (incoming, parts) = (order.parts.incoming, &order.parts);
        let assigned = parts.assigned.iter().any(|chat| chat == wa_id);
        if !incoming && !assigned {
            return None;
        }
        let mut unit = Unit::default();
        if incoming {
            if let Some(view) = self.told.messages.get(&event.message_id) {
                unit.objects.push((Key::Contacts, view.person.profile.text().into()));
            }
            unit.objects.push((Key::Messages, event.message.text().into()));
        }
        if let Some(message) = self.message(event.message_id, order.reader) {
            if incoming {
                unit.objects.push((Key::IncomingMessages, message.clone()));
            }
            if assigned {
                unit.objects.push((Key::AssignedMessages, message));
            }
            unit.mark = Some((wa_id.to_owned(), event.timestamp));
        }
        Some(unit)
    }

    /// What an assignment brings the reader (R-IWH-7).
    fn tell_given(&self, order: &BodyOrder<'_>, push: &Push, wa_id: &str, e: &ChatAssigned, units: &mut Vec<Unit>) {
        let Some(given) = given(order, push, wa_id) else { return };
        let named = based_on(e).filter(|message| self.told.messages.contains_key(message));
        let messages = match named {
            Some(message) => vec![message],
            None => self.told.given.get(&given).cloned().unwrap_or_default(),
        };
        for id in messages {
            let (Some(view), Some(shown)) = (self.told.messages.get(&id), self.message(id, order.reader)) else {
                continue;
            };
            let mark = (!view.from_us).then(|| (wa_id.to_owned(), view.timestamp));
            units.push(Unit { mark, ..Unit::of(Key::AssignedMessages, shown) });
        }
    }

    fn outgoing(&self, order: &BodyOrder<'_>, id: MessageId) -> Option<Unit> {
        Some(Unit::of(Key::OutgoingMessages, self.message(id, order.reader)?))
    }

    fn assignment(&self, wa_id: &str, e: &ChatAssigned) -> Option<Unit> {
        let user = |id: Option<UserId>| id.and_then(|id| self.told.users.get(&id.0).cloned());
        let view = AssignmentEventView {
            timestamp: e.timestamp,
            wa_id: WaId::parse(wa_id).ok()?,
            user_set: user(e.user_set),
            user_cleared: e.user_cleared,
            group_set: e.group_set.and_then(|id| self.told.groups.get(&id.0).cloned()),
            group_cleared: e.group_cleared,
            done_by: user(e.done_by),
        };
        Some(Unit::of(Key::ChatAssignment, text(&ChatAssignmentEvent::new(&view, self.links))))
    }

    /// The entry of the history, with the tag as it was then (R-TAG-6).
    fn tagging(
        &self,
        wa_id: &str,
        tag: &TagAsItWas,
        extra: Option<&chatledger_domain::RawJson>,
        done_by: Option<UserId>,
        timestamp: i64,
        added: bool,
    ) -> Option<TaggingEventView> {
        let TagAsItWas { id, name, web_inbox_color } = tag.clone();
        Some(TaggingEventView {
            timestamp,
            added,
            tag: TagView { id, name, web_inbox_color },
            wa_id: WaId::parse(wa_id).ok()?,
            message: None,
            extra: extra.cloned(),
            done_by: done_by.and_then(|id| self.told.users.get(&id.0).cloned()),
        })
    }

    fn chat_tagging(&self, event: &TaggingEventView) -> Unit {
        Unit::of(Key::ChatTagging, text(&ChatTaggingEvent::new(event, self.links)))
    }

    fn message_tagging(&self, mut event: TaggingEventView, ours: MessageId, theirs: Option<&str>) -> Unit {
        let known = self.told.messages.get(&ours).and_then(|view| view.waba_id.as_ref());
        let known = known.or_else(|| self.told.waba_ids.get(&ours)).map(String::as_str);
        event.message = Some(theirs.or(known).map_or_else(|| ours.to_string(), str::to_owned));
        Unit::of(Key::MessageTagging, text(&MessageTaggingEvent::new(&event, self.links)))
    }

    /// How far a bulk message is: whole when it begins and ends, else only who is done with.
    fn tell_bulk(&self, recorded: &Recorded, event: &BulkMessageEvent, units: &mut Vec<Unit>) {
        let (task, ends) = match event {
            BulkMessageEvent::BulkMessageCreated(e) => (e.id, true),
            BulkMessageEvent::BulkElementSettled(e) => {
                let BulkElementSettled { task, wa_id, outcome, timestamp } = e.clone();
                let view = BulkElementView { id: recorded.position.0, task, wa_id, outcome, timestamp };
                units.push(Unit::of(Key::BulkMessageTaskElements, text(&BulkMessageElement::new(&view))));
                (task, self.told.tasks.get(&task).is_some_and(|task| task.done >= task.total))
            }
            BulkMessageEvent::BulkRecipientErased(_) => return,
        };
        if let Some(view) = self.told.tasks.get(&task).filter(|_| ends) {
            units.push(Unit::of(Key::BulkMessageTasks, text(&BulkMessageTask::new(view, self.links))));
        }
    }

    /// A message as the list of messages shows it to a reader.
    fn message(&self, id: MessageId, reader: Option<UserId>) -> Option<Arc<str>> {
        let view = self.told.messages.get(&id)?;
        let received = self.told.has_received(view, reader);
        let quoted_received = match &view.context {
            Some(ContextView::Message(quoted)) => self.told.has_received(quoted, reader),
            _ => false,
        };
        let mut shown = self.shown.borrow_mut();
        let made = shown.entry((id, received, quoted_received)).or_insert_with(|| {
            let mut message = Message::new(view, self.links);
            message.received = received;
            if let Some(Context::Message(quoted)) = &mut message.context {
                quoted.received = quoted_received;
            }
            text(&message).into()
        });
        Some(made.clone())
    }
}

/// Whether the statuses of a chat are told.
fn is_told(parts: &Parts, wa_id: &str) -> bool {
    parts.statuses && (parts.statuses_of.is_empty() || parts.statuses_of.iter().any(|id| id == wa_id))
}

/// What the tagging keys of the first generation hold.
struct Legacy<'a> {
    what: &'static str,
    shown: Box<serde_json::value::RawValue>,
    tag: &'a TagAsItWas,
    extra: Option<&'a chatledger_domain::RawJson>,
}

impl Serialize for Legacy<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        #[derive(Serialize)]
        struct NewTag<'a> {
            name: &'a str,
            id: i64,
            extra: Option<&'a chatledger_domain::RawJson>,
        }
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry(self.what, &self.shown)?;
        map.serialize_entry("new_tag", &NewTag { name: &self.tag.name, id: self.tag.id.0, extra: self.extra })?;
        map.end()
    }
}

fn raw(text: &str) -> Box<serde_json::value::RawValue> {
    serde_json::value::RawValue::from_string(text.to_owned())
        .unwrap_or_else(|_| serde_json::value::RawValue::NULL.to_owned())
}

/// The objects of the wire can always be written.
fn text(object: &impl Serialize) -> String {
    serde_json::to_string(object).unwrap_or_default()
}
