//! What must be looked up to write some orders.

use chatledger_application::{
    ports::bodies::BodyOrder,
    pushes::{News, Push},
};
use chatledger_domain::{
    AnyEvent, MessageId, UserId,
    bulk_message::BulkMessageEvent,
    chat::{ChatAssigned, ChatEvent},
    user::UserEvent,
};
use chatledger_projections::told::{Given, Wanted};

/// What these orders need, each thing once.
pub(super) fn of<'a, 'b: 'a>(orders: impl Iterator<Item = &'a BodyOrder<'b>>) -> Wanted {
    let mut wanted = Wanted::default();
    for order in orders {
        wanted.readers.extend(order.reader);
        for push in &order.pushes {
            add(&mut wanted, order, push);
        }
    }
    wanted
}

fn add(wanted: &mut Wanted, order: &BodyOrder<'_>, push: &Push) {
    let parts = &order.parts;
    for recorded in &push.events {
        let wa_id = &recorded.stream.aggregate_id;
        match &recorded.event {
            AnyEvent::Chat(ChatEvent::MessageReceived(e))
                if push.news == News::Call && (parts.incoming || parts.assigned.contains(wa_id)) =>
            {
                wanted.messages.insert(e.message_id);
            }
            AnyEvent::Chat(ChatEvent::MessageStatusReported(e)) if parts.statuses => {
                wanted.waba_ids.insert(e.waba_id.clone());
            }
            AnyEvent::Chat(ChatEvent::ChatAssigned(e)) => {
                wanted.users.extend(e.user_set.into_iter().chain(e.done_by));
                wanted.groups.extend(e.group_set);
                match based_on(e) {
                    _ if parts.assigned.is_empty() => {}
                    Some(message) => drop(wanted.messages.insert(message)),
                    None => wanted.given.extend(given(order, push, wa_id)),
                }
            }
            _ if !parts.own => {}
            AnyEvent::Chat(ChatEvent::MessageQueued(e)) => drop(wanted.messages.insert(e.message_id)),
            AnyEvent::Chat(ChatEvent::MessageEchoed(e)) => drop(wanted.messages.insert(e.message_id)),
            AnyEvent::Chat(ChatEvent::MessageTagged(e)) => {
                wanted.users.extend(e.done_by);
                let needed = if parts.legacy { &mut wanted.messages } else { &mut wanted.ours };
                needed.insert(e.message_id);
            }
            AnyEvent::Chat(ChatEvent::MessageUntagged(e)) => {
                wanted.users.extend(e.done_by);
                wanted.ours.insert(e.message_id);
            }
            AnyEvent::Chat(ChatEvent::ChatTagged(e)) => {
                wanted.users.extend(e.done_by);
                if parts.legacy {
                    wanted.chats.insert((reader(order), wa_id.clone()));
                }
            }
            AnyEvent::Chat(ChatEvent::ChatUntagged(e)) => wanted.users.extend(e.done_by),
            AnyEvent::User(UserEvent::AvailabilityChanged(_)) => drop(wanted.user_streams.insert(wa_id.clone())),
            AnyEvent::BulkMessage(BulkMessageEvent::BulkMessageCreated(e)) => drop(wanted.tasks.insert(e.id)),
            AnyEvent::BulkMessage(BulkMessageEvent::BulkElementSettled(e)) => drop(wanted.tasks.insert(e.task)),
            _ => {}
        }
    }
}

/// Who reads it; nobody in particular is user 0, who has received nothing.
pub(super) fn reader(order: &BodyOrder<'_>) -> UserId {
    order.reader.unwrap_or_default()
}

/// The chat that the reader was given by a push.
pub(super) fn given(order: &BodyOrder<'_>, push: &Push, wa_id: &str) -> Option<Given> {
    let is_told = order.parts.assigned.iter().any(|chat| chat == wa_id);
    is_told.then(|| Given { wa_id: wa_id.to_owned(), reader: reader(order), at: push.position })
}

/// The message that an assignment follows from, where the rule engine named one (R-IWH-7).
pub(super) fn based_on(event: &ChatAssigned) -> Option<MessageId> {
    event.based_on
}
