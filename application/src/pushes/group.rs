//! Which events go into one push. Pure; what it makes of a stretch of the ledger does not depend on where it was cut,
//! as long as no append was cut in two.

use chatledger_domain::{
    AnyEvent, Assignment,
    bulk_message::BulkMessageEvent,
    chat::ChatEvent,
    user::UserEvent,
    whatsapp_account::{ERRORS, WhatsAppAccountEvent},
};
use uuid::Uuid;

use super::push::{News, Push, PushedChat};
use crate::ports::ledger::{Cause, Recorded};

/// The pushes of a stretch of one ledger, in order. Who has the chats is not filled in.
#[must_use]
pub fn pushes_of(events: &[Recorded]) -> Vec<Push> {
    let mut pushes = Vec::new();
    for run in events.chunk_by(is_one_append) {
        if run.iter().any(|event| event.metadata.actor == Cause::Whatsapp) {
            call(run, &mut pushes);
        } else {
            run.iter().for_each(|event| single(event, &mut pushes));
        }
    }
    pushes
}

/// Whether two neighbours were recorded together. Correlation ids of WhatsApp's calls are ours; a caller's own may come
/// again, so the time of writing counts too.
pub(crate) fn is_one_append(a: &Recorded, b: &Recorded) -> bool {
    a.metadata.correlation_id == b.metadata.correlation_id
        && a.recorded_at == b.recorded_at
        && a.metadata.actor == b.metadata.actor
}

/// One body for what WhatsApp told at once, then what follows from it.
fn call(run: &[Recorded], pushes: &mut Vec<Push>) {
    let told = run.iter().filter(|event| is_relayed(&event.event)).cloned().collect();
    add(pushes, News::Call, told);
    for event in run {
        match &event.event {
            AnyEvent::Chat(ChatEvent::MessageReceived(e)) if e.reopens => {
                add(pushes, News::Resolved(false), vec![event.clone()]);
            }
            _ => single(event, pushes),
        }
    }
}

fn is_relayed(event: &AnyEvent) -> bool {
    match event {
        AnyEvent::Chat(event) => {
            matches!(event, ChatEvent::MessageReceived(_) | ChatEvent::MessageStatusReported(_))
        }
        AnyEvent::WhatsAppAccount(WhatsAppAccountEvent::AccountNoticeReceived(e)) => e.field == ERRORS,
        _ => false,
    }
}

fn single(recorded: &Recorded, pushes: &mut Vec<Push>) {
    let news = match &recorded.event {
        AnyEvent::Chat(event) => match event {
            ChatEvent::MessageQueued(_) | ChatEvent::MessageEchoed(_) => News::Outgoing,
            ChatEvent::ChatAssigned(_) => News::Assigned,
            ChatEvent::MessageTagged(_) | ChatEvent::MessageUntagged(_) => News::MessageTagging,
            ChatEvent::ChatTagged(_) | ChatEvent::ChatUntagged(_) => News::ChatTagging,
            ChatEvent::ChatResolved(_) => News::Resolved(true),
            ChatEvent::ChatReopened(_) => News::Resolved(false),
            _ => return,
        },
        AnyEvent::User(UserEvent::AvailabilityChanged(_)) => News::Availability,
        AnyEvent::BulkMessage(BulkMessageEvent::BulkRecipientErased(_)) => return,
        AnyEvent::BulkMessage(_) => News::Bulk,
        _ => return,
    };
    add(pushes, news, vec![recorded.clone()]);
}

fn add(pushes: &mut Vec<Push>, news: News, events: Vec<Recorded>) {
    let (Some(first), Some(last)) = (events.first(), events.last()) else { return };
    let (tenant, position, last) = (first.tenant, first.position, last.position);
    let part = pushes.iter().rev().take_while(|push| push.position == position).count();
    let part = i16::try_from(part).unwrap_or(i16::MAX);
    let mut chats: Vec<PushedChat> = Vec::new();
    for event in &events {
        let wa_id = &event.stream.aggregate_id;
        if matches!(event.event, AnyEvent::Chat(_)) && !chats.iter().any(|chat| chat.wa_id == *wa_id) {
            let (before, after) = (Assignment::default(), Assignment::default());
            chats.push(PushedChat { wa_id: wa_id.clone(), before, after });
        }
    }
    let id = Uuid::new_v5(&tenant.0, format!("push:{position}:{part}").as_bytes());
    pushes.push(Push { id, tenant, position, part, last, news, chats, events });
}
