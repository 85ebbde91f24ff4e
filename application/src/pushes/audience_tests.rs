//! Who is told what, rule by rule.

use std::sync::Arc;

use chatledger_domain::{
    AnyEvent, Assignment, Endpoint, GroupId, MessageId, Position, RawJson, SecretId, TenantId, UserId,
    chat::{ChatAssigned, ChatEvent, MessageQueued, MessageReceived, MessageStatusReported},
    webhook::{Subscriptions, WebhookChanged, WebhookDeleted, WebhookEvent, WebhookRegistered},
};
use chrono::DateTime;
use uuid::Uuid;

use super::{Audience, Listener, Push, pushes_of};
use crate::ports::{
    bodies::Parts,
    ledger::{Cause, Metadata, Recorded, StreamId},
};

const ME: UserId = UserId(1);

fn recorded(position: i64, stream: &str, event: impl Into<AnyEvent>) -> Recorded {
    let metadata =
        Metadata { actor: Cause::Whatsapp, family: "test".into(), correlation_id: "call".into(), causation: None };
    Recorded {
        tenant: TenantId(Uuid::nil()),
        position: Position(position),
        stream: StreamId { aggregate_type: "Chat", aggregate_id: stream.to_owned() },
        sequence: position,
        event: event.into(),
        metadata: Arc::new(metadata),
        occurred_at: DateTime::default(),
        recorded_at: DateTime::default(),
    }
}

fn raw() -> RawJson {
    RawJson::parse("{}".into()).expect("JSON")
}

fn message(position: i64, chat: &str) -> Recorded {
    let message_id = MessageId(Uuid::from_u128(position.unsigned_abs().into()));
    let (waba_id, kind, message) = (position.to_string(), "text".into(), raw());
    let (timestamp, received_at, context, referral, reopens) = (1, 1, None, false, false);
    let event =
        MessageReceived { message_id, waba_id, timestamp, received_at, kind, context, referral, reopens, message };
    recorded(position, chat, AnyEvent::Chat(event.into()))
}

fn status(position: i64, chat: &str) -> Recorded {
    let (waba_id, status) = (position.to_string(), "sent".into());
    let event = MessageStatusReported { waba_id, message_id: None, status, timestamp: 1, report: raw() };
    recorded(position, chat, AnyEvent::Chat(event.into()))
}

fn assigned(position: i64, user: Option<UserId>, group: Option<GroupId>) -> Recorded {
    let event = ChatAssigned {
        user_set: user,
        user_cleared: user.is_none(),
        group_set: group,
        group_cleared: false,
        done_by: None,
        timestamp: 1,
        based_on: None,
        trigger: None,
    };
    recorded(position, "351", AnyEvent::Chat(event.into()))
}

fn flags(incoming: bool, outgoing: bool, assigned: bool) -> Subscriptions {
    Subscriptions { on_incoming_message: incoming, on_outgoing_message: outgoing, on_assigned: assigned }
}

fn endpoint() -> Endpoint {
    Endpoint { origin: String::new(), header_names: Vec::new(), secret: SecretId(Uuid::nil()) }
}

fn webhook(position: i64, event: impl Into<WebhookEvent>) -> Recorded {
    recorded(position, "hook", AnyEvent::Webhook(event.into()))
}

/// One webhook of mine, registered at position 1.
fn mine(subscriptions: Subscriptions) -> Audience {
    let mut audience = Audience::default();
    audience.take(&webhook(1, WebhookRegistered { user: ME, endpoint: endpoint(), subscriptions }));
    audience
}

/// The one push of these events; the chat 351 is mine.
fn push(events: &[Recorded]) -> Push {
    let mut pushes = pushes_of(events);
    let mut push = pushes.remove(0);
    for chat in push.chats.iter_mut().filter(|chat| chat.wa_id == "351") {
        chat.before = Assignment { user: Some(ME), group: None };
        chat.after = chat.before;
    }
    push
}

fn parts(audience: &Audience, events: &[Recorded]) -> Option<Parts> {
    audience.of(&push(events)).pop().map(|listener| listener.parts)
}

#[test]
fn r_iwh_1_a_call_is_told_once_with_all_that_applies() {
    let call = [message(5, "351"), message(6, "352"), status(7, "352")];
    let told = mine(flags(true, false, true)).of(&push(&call));
    let [Listener { receiver: 1, user: ME, parts, chats }] = told.as_slice() else { panic!("{told:?}") };
    assert!(parts.incoming && parts.statuses && parts.statuses_of.is_empty());
    assert_eq!(parts.assigned, ["351"]);
    assert_eq!(*chats, ["351", "352"]);
}

#[test]
fn r_iwh_4_statuses_of_own_chats_for_those_told_of_own_chats_only() {
    let call = [status(5, "351"), status(6, "352")];
    for subscriptions in [flags(true, false, false), flags(false, true, false), flags(false, true, true)] {
        let parts = parts(&mine(subscriptions), &call).expect("told");
        assert!(parts.statuses && parts.statuses_of.is_empty(), "{subscriptions:?}");
    }
    let told = mine(flags(false, false, true)).of(&push(&call));
    assert_eq!(told[0].parts.statuses_of, ["351"]);
    assert_eq!(told[0].chats, ["351"]);
    assert_eq!(parts(&mine(flags(false, false, true)), &call[1..]), None);
    assert_eq!(parts(&mine(flags(false, false, false)), &call), None);
}

#[test]
fn r_iwh_3_and_8_flags_decide_and_a_group_alone_brings_no_messages() {
    let on_assigned = mine(flags(false, false, true));
    assert_eq!(parts(&on_assigned, &[message(5, "352")]), None);
    let own = Parts { own: true, ..Parts::default() };
    let given = Parts { assigned: vec!["351".to_owned()], ..own.clone() };
    assert_eq!(parts(&on_assigned, &[assigned(5, Some(ME), None)]), Some(given));
    assert_eq!(parts(&on_assigned, &[assigned(5, Some(UserId(2)), None)]), Some(own.clone()));
    assert_eq!(parts(&on_assigned, &[assigned(5, None, Some(GroupId(4)))]), Some(own.clone()));
    // Every webhook learns of assignments, whatever its flags (R-IWH-5).
    assert_eq!(parts(&mine(flags(false, false, false)), &[assigned(5, Some(ME), None)]), Some(own.clone()));
    let (message_id, kind, message) = (MessageId(Uuid::nil()), "text".into(), raw());
    let (context, rendered, outside_window) = (None, None, false);
    let sent = MessageQueued { message_id, timestamp: 1, kind, sender: ME, context, message, rendered, outside_window };
    let sent = [recorded(5, "352", AnyEvent::Chat(ChatEvent::from(sent)))];
    let push = || {
        let mut sent = sent.clone();
        sent[0].metadata = Arc::new(Metadata { actor: Cause::User { id: 1 }, ..(*sent[0].metadata).clone() });
        sent
    };
    assert_eq!(parts(&mine(flags(false, true, false)), &push()), Some(own));
    assert_eq!(parts(&mine(flags(true, false, true)), &push()), None);
}

#[test]
fn r_whk_2_receivers_are_as_they_were_at_the_push() {
    let mut audience = mine(flags(true, false, false));
    let call = [message(5, "352")];
    assert!(parts(&audience, &call).is_some());
    assert_eq!(parts(&audience, &[message(1, "352")]), None, "nothing from before its registration");
    let subscriptions = flags(false, false, false);
    audience.take(&webhook(6, WebhookChanged { endpoint: endpoint(), subscriptions, done_by: ME }));
    assert_eq!(parts(&audience, &call), None);
    audience.take(&webhook(7, WebhookDeleted { user: ME, done_by: ME }));
    assert!(audience.is_empty());
}
