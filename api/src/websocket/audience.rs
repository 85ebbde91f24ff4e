//! Who is told what on websockets (R-WS-5). Pure.

use chatledger_application::{
    ports::{bodies::Parts, ledger::Recorded},
    pushes::{News, Push, PushedChat},
};
use chatledger_domain::{Actor, AnyEvent, UserId, chat::ChatEvent};

/// What a user is told of a push; the same for all users for whom it is equal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Told {
    /// Which of the push's chats, by their place in it.
    pub chats: Vec<usize>,
    /// What of it.
    pub parts: Parts,
    /// Whose view; nobody's where all see the same.
    pub reader: Option<UserId>,
}

/// What a user is told; `None` for nothing. `sender` is whose bulk message the push is about.
pub(super) fn told(push: &Push, actor: &Actor, sender: Option<UserId>) -> Option<Told> {
    let readable = |chat: &PushedChat| actor.may_read(chat.after);
    let mut parts = Parts { own: true, ..Parts::default() };
    let mut reader = None;
    let chats = match push.news {
        News::Availability => Vec::new(),
        News::Bulk if sender == Some(actor.user) => Vec::new(),
        News::Bulk => return None,
        News::Call => {
            let chats = places(push, readable).unwrap_or_default();
            // What WhatsApp says of no chat is for everybody.
            if chats.is_empty() && push.events.iter().all(is_of_chat) {
                return None;
            }
            let mine = chats.iter().filter_map(|place| push.chats.get(*place));
            let mine = mine.filter(|chat| chat.after.user == Some(actor.user) && is_written_in(push, &chat.wa_id));
            let assigned = mine.map(|chat| chat.wa_id.clone()).collect();
            parts = Parts { incoming: true, statuses: true, cloud: true, assigned, ..Parts::default() };
            reader = Some(actor.user);
            chats
        }
        News::Outgoing => {
            reader = Some(actor.user);
            places(push, readable)?
        }
        News::Assigned => {
            let chats = places(push, |chat| actor.may_read(chat.before) || actor.may_read(chat.after))?;
            let gains = |chat: &&PushedChat| {
                chat.after.user == Some(actor.user) && chat.before.user != Some(actor.user) && readable(chat)
            };
            parts.assigned = push.chats.iter().filter(gains).map(|chat| chat.wa_id.clone()).collect();
            // Only the messages that come with it are rendered for somebody.
            reader = (!parts.assigned.is_empty()).then_some(actor.user);
            chats
        }
        News::MessageTagging | News::ChatTagging | News::Resolved(_) => places(push, readable)?,
    };
    Some(Told { chats, parts, reader })
}

/// Which chats of a push are to be told of; `None` for none.
fn places(push: &Push, wanted: impl Fn(&PushedChat) -> bool) -> Option<Vec<usize>> {
    let chats: Vec<usize> = (0..push.chats.len()).filter(|place| wanted(&push.chats[*place])).collect();
    (!chats.is_empty()).then_some(chats)
}

fn is_of_chat(recorded: &Recorded) -> bool {
    matches!(recorded.event, AnyEvent::Chat(_))
}

fn is_written_in(push: &Push, wa_id: &str) -> bool {
    push.events.iter().any(|event| {
        event.stream.aggregate_id == wa_id && matches!(event.event, AnyEvent::Chat(ChatEvent::MessageReceived(_)))
    })
}

/// The push as if nothing but these chats were in it.
pub(super) fn narrowed(push: &Push, chats: &[usize]) -> Push {
    let chats: Vec<PushedChat> = chats.iter().filter_map(|place| push.chats.get(*place)).cloned().collect();
    let is_told = |wa_id: &str| chats.iter().any(|chat| chat.wa_id == wa_id);
    let events = push.events.iter().filter(|event| !is_of_chat(event) || is_told(&event.stream.aggregate_id));
    let events = events.cloned().collect();
    Push { chats, events, ..push.clone() }
}

#[cfg(test)]
mod tests;
