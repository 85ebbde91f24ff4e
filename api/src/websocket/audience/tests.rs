//! Each scope, each kind of news, before and after.

use std::{collections::BTreeSet, sync::Arc};

use chatledger_application::ports::ledger::{Cause, Metadata, StreamId};
use chatledger_domain::{
    Assignment, GroupId, MessageId, Permissions, Position, RawJson, Role, Scope, TenantId, chat::MessageReceived,
};
use chrono::DateTime;
use uuid::Uuid;

use super::*;

const ME: UserId = UserId(7);
const GROUP: GroupId = GroupId(4);

fn actor(scope: Scope) -> Actor {
    let permissions = Permissions { can_read_chats: scope, ..Permissions::default() };
    Actor { user: ME, role: Role::User, groups: BTreeSet::from([GROUP]), permissions }
}

fn chat(wa_id: &str, before: Assignment, after: Assignment) -> PushedChat {
    PushedChat { wa_id: wa_id.to_owned(), before, after }
}

fn message(wa_id: &str) -> Recorded {
    let event = MessageReceived {
        message_id: MessageId(Uuid::nil()),
        waba_id: "a".into(),
        timestamp: 1,
        received_at: 1,
        kind: "text".into(),
        context: None,
        referral: false,
        reopens: false,
        message: RawJson::parse("{}".into()).unwrap(),
    };
    Recorded {
        tenant: TenantId::default(),
        position: Position(1),
        stream: StreamId { aggregate_type: "Chat", aggregate_id: wa_id.to_owned() },
        sequence: 1,
        event: AnyEvent::Chat(event.into()),
        metadata: Arc::new(Metadata {
            actor: Cause::Whatsapp,
            family: "test".into(),
            correlation_id: "call".into(),
            causation: None,
        }),
        occurred_at: DateTime::default(),
        recorded_at: DateTime::default(),
    }
}

fn push(news: News, chats: Vec<PushedChat>) -> Push {
    let events = chats.iter().map(|chat| message(&chat.wa_id)).collect();
    let (position, last) = (Position(1), Position(1));
    Push { id: Uuid::nil(), tenant: TenantId::default(), position, part: 0, last, news, chats, events }
}

const NOBODYS: Assignment = Assignment { user: None, group: None };
const MINE: Assignment = Assignment { user: Some(ME), group: None };
const MY_GROUPS: Assignment = Assignment { user: Some(UserId(8)), group: Some(GROUP) };
const ANOTHERS: Assignment = Assignment { user: Some(UserId(8)), group: Some(GroupId(5)) };

#[test]
fn r_ws_5_a_call_is_told_as_far_as_its_chats_may_be_read() {
    let call = || {
        let chats = [("1", NOBODYS), ("2", MINE), ("3", MY_GROUPS), ("4", ANOTHERS)];
        push(News::Call, chats.iter().map(|(wa_id, has)| chat(wa_id, *has, *has)).collect())
    };
    let places = |scope| told(&call(), &actor(scope), None).map(|told| told.chats);
    assert_eq!(places(Scope::All), Some(vec![0, 1, 2, 3]));
    assert_eq!(places(Scope::Group), Some(vec![1, 2]));
    assert_eq!(places(Scope::User), Some(vec![1]));
    assert_eq!(places(Scope::None), None);
    let all = told(&call(), &actor(Scope::All), None).unwrap();
    assert_eq!((all.parts.assigned, all.parts.cloud), (vec!["2".to_owned()], true));
    let part = narrowed(&call(), &[1, 3]);
    assert_eq!(part.chats.iter().map(|chat| &*chat.wa_id).collect::<Vec<_>>(), ["2", "4"]);
    assert_eq!(part.events.iter().map(|event| &*event.stream.aggregate_id).collect::<Vec<_>>(), ["2", "4"]);
}

#[test]
fn r_ws_5_an_assignment_is_told_to_whom_it_takes_a_chat_from_and_to_whom_it_gives_one() {
    let assigned =
        |scope, before, after| told(&push(News::Assigned, vec![chat("1", before, after)]), &actor(scope), None);
    assert!(assigned(Scope::User, MINE, ANOTHERS).is_some_and(|told| told.parts.assigned.is_empty()));
    let given = assigned(Scope::User, ANOTHERS, MINE).unwrap();
    assert_eq!((given.parts.assigned, given.reader), (vec!["1".to_owned()], Some(ME)));
    assert!(assigned(Scope::User, NOBODYS, MY_GROUPS).is_none());
    assert!(assigned(Scope::Group, NOBODYS, MY_GROUPS).is_some_and(|told| told.reader.is_none()));
    assert!(assigned(Scope::None, ANOTHERS, MINE).is_none());
    // Nothing else looks at who had it before.
    for news in [News::ChatTagging, News::MessageTagging, News::Outgoing, News::Resolved(true), News::Call] {
        assert!(told(&push(news, vec![chat("1", MINE, ANOTHERS)]), &actor(Scope::User), None).is_none(), "{news:?}");
        assert!(told(&push(news, vec![chat("1", ANOTHERS, MINE)]), &actor(Scope::User), None).is_some(), "{news:?}");
    }
}

#[test]
fn r_ws_5_availability_is_for_all_and_a_bulk_message_for_its_sender() {
    assert!(told(&push(News::Availability, Vec::new()), &actor(Scope::None), None).is_some());
    assert!(told(&push(News::Bulk, Vec::new()), &actor(Scope::None), Some(ME)).is_some());
    assert!(told(&push(News::Bulk, Vec::new()), &actor(Scope::All), Some(UserId(8))).is_none());
}
