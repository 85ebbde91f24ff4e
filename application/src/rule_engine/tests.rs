//! What calls the engine and as of when, and how answers are read.

use std::sync::Arc;

use chatledger_domain::{
    AnyEvent, Assignment, GroupId, MessageId, Position, RawJson, TagId, TenantId, UserId,
    chat::{ChatAssigned, ChatEvent, ChatTagged, ChatUntagged, MessageReceived, MessageTagged, TagAsItWas},
    rule_engine::{AssignMethod, Mode, RuleAdded, RuleEngineConfigured, RuleEngineEvent, Target},
};
use chrono::DateTime;
use uuid::Uuid;

use super::{
    Kind, Trigger, Triggers, Wanted,
    answer::{Place, entries, last_of_each_chat},
};
use crate::{
    ports::ledger::{Cause, Metadata, Recorded, StreamId},
    pushes::{PushPage, pushes_of},
};

fn recorded(position: i64, kind: &'static str, id: &str, call: &str, event: impl Into<AnyEvent>) -> Recorded {
    let actor = if call.starts_with("user") { Cause::User { id: 1 } } else { Cause::Whatsapp };
    let (at, family) = (DateTime::default(), "test".to_owned());
    Recorded {
        tenant: TenantId(Uuid::nil()),
        position: Position(position),
        stream: StreamId { aggregate_type: kind, aggregate_id: id.to_owned() },
        sequence: position,
        event: event.into(),
        metadata: Arc::new(Metadata { actor, family, correlation_id: call.to_owned(), causation: None }),
        occurred_at: at,
        recorded_at: at,
    }
}

fn chat(position: i64, id: &str, call: &str, event: impl Into<ChatEvent>) -> Recorded {
    recorded(position, "Chat", id, call, event.into())
}

fn engine(position: i64, event: impl Into<RuleEngineEvent>) -> Recorded {
    recorded(position, "RuleEngine", "rule_engine", &format!("user {position}"), event.into())
}

fn mode(mode: Mode) -> RuleEngineConfigured {
    RuleEngineConfigured { mode, endpoint: None, done_by: UserId(1) }
}

fn rule(tagged_with: Option<TagId>) -> RuleAdded {
    RuleAdded { tagged_with, target: Target::User(UserId(42)), place: 1, done_by: UserId(1) }
}

fn message(n: u128) -> MessageReceived {
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
}

fn tag(id: i64) -> TagAsItWas {
    TagAsItWas { id: TagId(id), name: "vip".into(), web_inbox_color: None }
}

fn chat_tagged(id: i64) -> ChatTagged {
    ChatTagged { tag: tag(id), extra: None, done_by: None, timestamp: 1 }
}

fn message_tagged(id: i64) -> MessageTagged {
    let message_id = MessageId(Uuid::from_u128(9));
    MessageTagged { message_id, waba_id: None, tag: tag(id), extra: None, done_by: None, timestamp: 1 }
}

fn of(triggers: &mut Triggers, events: Vec<Recorded>) -> Vec<Trigger> {
    let upto = events.last().map_or(Position(0), |event| event.position);
    triggers.of(PushPage { pushes: pushes_of(&events), events, upto, is_last: true })
}

fn seen(triggers: &[Trigger]) -> Vec<(i64, Kind)> {
    triggers.iter().map(|trigger| (trigger.position.0, trigger.kind)).collect()
}

#[test]
fn r_rul_8_a_tagged_message_and_its_chat_are_one_trigger() {
    let events = vec![
        engine(1, mode(Mode::Custom)),
        chat(2, "351", "user", message_tagged(3)),
        chat(3, "351", "user", chat_tagged(3)),
        // Its chat has the tag already.
        chat(4, "351", "user", message_tagged(3)),
        chat(5, "351", "user", chat_tagged(4)),
        chat(6, "352", "user", message_tagged(3)),
        chat(7, "353", "user", chat_tagged(3)),
    ];
    let found = of(&mut Triggers::default(), events);
    let kinds = [(2, 3), (4, 3), (5, 4), (6, 3), (7, 3)].map(|(at, tag)| (at, Kind::Tagged(TagId(tag))));
    assert_eq!(seen(&found), kinds);
    assert_eq!(found.iter().map(|trigger| trigger.pushes.len()).collect::<Vec<_>>(), [2, 1, 1, 1, 1]);
}

#[test]
fn r_rul_7_assignments_are_no_triggers() {
    let events = vec![engine(1, mode(Mode::Custom)), chat(2, "351", "user", ChatAssigned::default())];
    assert!(of(&mut Triggers::default(), events).is_empty());
}

#[test]
fn r_rul_9_the_engine_counts_as_it_was_at_the_trigger() {
    let mut triggers = Triggers::default();
    assert!(triggers.is_idle());
    let events = vec![
        chat(1, "351", "call 1", message(1)),
        engine(2, rule(None)),
        chat(3, "351", "call 2", message(2)),
        engine(4, mode(Mode::Custom)),
        chat(5, "351", "user", chat_tagged(3)),
        engine(6, mode(Mode::Default)),
        chat(7, "351", "user 2", chat_tagged(4)),
    ];
    let found = of(&mut triggers, events);
    assert_eq!(seen(&found), [(3, Kind::Incoming), (5, Kind::Tagged(TagId(3)))]);
    assert_eq!([Mode::Default, Mode::Custom], [found[0].engine.mode, found[1].engine.mode]);
    assert!(!triggers.is_idle());
}

#[test]
fn r_rul_10_and_11_rules_fire_for_fresh_messages_and_added_tags_only() {
    let untagged = ChatUntagged {
        tagging_id: chatledger_domain::TaggingId(5),
        tag: tag(3),
        extra: None,
        done_by: None,
        timestamp: 1,
    };
    let events = vec![
        engine(1, rule(None)),
        engine(2, rule(Some(TagId(3)))),
        chat(3, "351", "call 1", message(1)),
        chat(4, "352", "call 1", message(2)),
        chat(5, "352", "user", chat_tagged(3)),
        chat(6, "352", "user", untagged),
        chat(7, "352", "user", chat_tagged(4)),
    ];
    let mut page = PushPage { pushes: pushes_of(&events), events, upto: Position(7), is_last: true };
    page.pushes[0].chats[0].after = Assignment { user: None, group: Some(GroupId(4)) };
    let found = Triggers::default().of(page);
    assert_eq!(seen(&found), [(3, Kind::Incoming), (5, Kind::Tagged(TagId(3)))]);
    let chats: Vec<_> = found[0].chats.iter().map(|chat| chat.wa_id.as_str()).collect();
    assert_eq!(chats, ["352"], "somebody has the other");
}

#[test]
fn a_trigger_says_from_where_its_whole_append_is_read_again() {
    let events = vec![
        engine(1, mode(Mode::Custom)),
        chat(2, "351", "call 1", ChatEvent::from(chat_tagged(3))),
        chat(3, "351", "call 1", message(1)),
        chat(4, "351", "user", chat_tagged(3)),
    ];
    let after: Vec<_> = of(&mut Triggers::default(), events).iter().map(|trigger| trigger.after.0).collect();
    assert_eq!(after, [1, 1, 3]);
}

#[test]
fn r_rul_4_what_is_no_entry_is_told_from_what_is_one() {
    let place = |entry: &str| {
        let read = entries(&format!(r#"{{"assignment":[{entry}]}}"#)).expect("an object");
        read.into_iter().next().expect("an entry")
    };
    let group = Target::Group { id: GroupId(4), method: AssignMethod::LetGroupDecide };
    assert_eq!(
        place(r#"{"message_id":"wamid.1","user":42,"group":null,"more":1}"#),
        Ok((Place::Message("wamid.1".into()), Target::User(UserId(42))))
    );
    assert_eq!(
        place(r#"{"chat_id":"351","message_id":null,"group":4,"group_assign_method":"let_group_decide"}"#),
        Ok((Place::Chat("351".into()), group))
    );
    for wrong in [
        r#"{"user":42}"#,
        r#"{"message_id":"a","chat_id":"351","user":42}"#,
        r#"{"message_id":"a"}"#,
        r#"{"message_id":1,"user":42}"#,
        r#"{"message_id":"a","user":"42"}"#,
        r#"{"message_id":"a","user":42.5}"#,
        r#"{"message_id":"a","user":42,"group":4,"group_assign_method":"round_robin"}"#,
        r#"{"message_id":"a","group":4}"#,
        r#"{"message_id":"a","group":4,"group_assign_method":"random"}"#,
        "null",
        "[]",
    ] {
        assert!(place(wrong).is_err(), "{wrong}");
    }
    for nothing in ["{}", r#"{"assignment":null}"#, r#"{"assignment":[]}"#, r#"{"error":"x"}"#] {
        assert_eq!(entries(nothing), Some(Vec::new()), "{nothing}");
    }
    for no_answer in ["", "[]", "null", "<html>", r#""assignment""#] {
        assert_eq!(entries(no_answer), None, "{no_answer}");
    }
}

#[test]
fn r_rul_5_the_last_of_each_chat_wins() {
    let want = |wa_id: &str, user| Wanted {
        wa_id: wa_id.into(),
        based_on: None,
        target: Target::User(UserId(user)),
        only_fresh: false,
    };
    let wanted = vec![want("351", 1), want("352", 1), want("351", 2), want("352", 1)];
    assert_eq!(last_of_each_chat(wanted), [want("351", 2), want("352", 1)]);
}
