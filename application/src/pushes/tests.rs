//! What goes into one push, and in which order.

use std::sync::Arc;

use chatledger_domain::{
    AnyEvent, MessageId, Position, RawJson, TagId, TenantId,
    chat::{ChatEvent, ChatTagged, MessageReceived, MessageStatusReported, MessageTagged, TagAsItWas},
};
use chrono::DateTime;
use uuid::Uuid;

use super::{News, pushes_of};
use crate::ports::ledger::{Cause, Metadata, Recorded, StreamId};

fn recorded(position: i64, chat: &str, call: &str, event: ChatEvent) -> Recorded {
    let actor = if call.starts_with("user") { Cause::User { id: 1 } } else { Cause::Whatsapp };
    let (at, family) = (DateTime::from_timestamp(position, 0).unwrap_or_default(), "test".to_owned());
    let at = if actor == Cause::Whatsapp { DateTime::default() } else { at };
    Recorded {
        tenant: TenantId(Uuid::nil()),
        position: Position(position),
        stream: StreamId { aggregate_type: "Chat", aggregate_id: chat.to_owned() },
        sequence: position,
        event: AnyEvent::Chat(event),
        metadata: Arc::new(Metadata { actor, family, correlation_id: call.to_owned(), causation: None }),
        occurred_at: at,
        recorded_at: at,
    }
}

fn message(n: u128) -> ChatEvent {
    MessageReceived {
        message_id: MessageId(Uuid::from_u128(n)),
        waba_id: n.to_string(),
        timestamp: 1,
        received_at: 1,
        kind: "text".into(),
        context: None,
        referral: false,
        reopens: false,
        message: RawJson::parse("{}".into()).expect("JSON"),
    }
    .into()
}

fn status() -> ChatEvent {
    let report = RawJson::parse("{}".into()).expect("JSON");
    MessageStatusReported { waba_id: "a".into(), message_id: None, status: "sent".into(), timestamp: 1, report }.into()
}

fn tag() -> TagAsItWas {
    TagAsItWas { id: TagId(3), name: "vip".into(), web_inbox_color: None }
}

fn tagged() -> [ChatEvent; 2] {
    let (tag, done_by, timestamp) = (tag(), None, 1);
    let message_id = MessageId(Uuid::nil());
    [
        MessageTagged { message_id, waba_id: None, tag: tag.clone(), extra: None, done_by, timestamp }.into(),
        ChatTagged { tag, extra: None, done_by, timestamp }.into(),
    ]
}

#[test]
fn r_iwh_1_what_one_call_of_whatsapp_told_is_one_push() {
    let events = [
        recorded(1, "351", "call 1", message(1)),
        recorded(2, "352", "call 1", message(2)),
        recorded(3, "351", "call 1", status()),
        recorded(4, "351", "call 2", message(3)),
    ];
    let pushes = pushes_of(&events);
    assert_eq!(
        pushes.iter().map(|push| (push.news, push.events.len())).collect::<Vec<_>>(),
        [(News::Call, 3), (News::Call, 1)]
    );
    assert_eq!(pushes[0].chats.iter().map(|chat| chat.wa_id.as_str()).collect::<Vec<_>>(), ["351", "352"]);
    assert_eq!((pushes[0].position, pushes[0].last), (Position(1), Position(3)));
    assert_ne!(pushes[0].id, pushes[1].id);
}

#[test]
fn r_iwh_6_a_tagged_message_and_its_chat_are_two_pushes_the_message_first() {
    let [message, chat] = tagged();
    let pushes = pushes_of(&[recorded(1, "351", "user", message), recorded(2, "351", "user", chat)]);
    assert_eq!(pushes.iter().map(|push| push.news).collect::<Vec<_>>(), [News::MessageTagging, News::ChatTagging]);
}
