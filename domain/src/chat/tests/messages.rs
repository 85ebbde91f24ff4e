//! Messages in either direction: what is recorded, under which key, in which order rules are checked (R-MSG-*).

use super::*;
use crate::ids::TenantId;

fn received_with(waba_id: &str, message_id: MessageId) -> ChatEvent {
    let incoming = Incoming { message_id, ..incoming(waba_id, "text", WRITTEN) };
    Chat::default().decide(ChatCommand::ReceiveMessage { incoming, now: NOW }).unwrap().remove(0)
}

#[test]
fn r_msg_5_an_incoming_message_is_keyed_by_its_whatsapp_id_alone() {
    let key = |waba_id, ours| received_with(waba_id, id(ours)).idempotency_key();
    assert_eq!(key("wamid.1", 1), Some(message_key("wamid.1")));
    assert_eq!(key("wamid.1", 1), key("wamid.1", 2), "a repeat has another id of ours");
    assert_ne!(key("wamid.1", 1), key("wamid.2", 1));
}

#[test]
fn r_msg_5_an_echo_shares_the_key_of_the_message_it_is() {
    let echo = Echo {
        message_id: id(1),
        waba_id: "wamid.1".into(),
        timestamp: WRITTEN,
        kind: "text".into(),
        context: None,
        message: raw(&json!({ "type": "text" })),
    };
    let Echo { message_id, waba_id, timestamp, kind, context, message } = echo.clone();
    let echoed = ChatEvent::from(MessageEchoed { message_id, waba_id, timestamp, kind, context, message });
    assert_eq!(echoed.idempotency_key(), Some(message_key("wamid.1")));
    given(&[]).when(ChatCommand::EchoMessage { echo }).expect(echoed);
}

#[test]
fn r_msg_5_the_object_of_whatsapp_is_kept_byte_for_byte() {
    let text = "{ \"b\":1.0,\n \"a\": \"\\u0000\\ud800\" }";
    let incoming = Incoming { message: RawJson::parse(text.into()).unwrap(), ..incoming("wamid.1", "text", WRITTEN) };
    let events = given(&[]).when(ChatCommand::ReceiveMessage { incoming, now: NOW }).decision().unwrap();
    let payload = events[0].payload().unwrap();
    let ChatEvent::MessageReceived(read) = ChatEvent::read("MessageReceived", "1", &payload).unwrap() else {
        panic!("the stored event is read as what it is")
    };
    assert_eq!(read.message.text(), text);
}

#[test]
fn r_msg_6_the_same_pending_id_of_the_same_user_and_chat_is_the_same_message() {
    let (tenant, elsewhere) = (TenantId::of_slug("acme"), TenantId::of_slug("umbra"));
    let mine = MessageId::of_pending(tenant, ME, "351912000111", "p-1");
    assert_eq!(mine, MessageId::of_pending(tenant, ME, "351912000111", "p-1"));
    assert_ne!(mine, MessageId::of_pending(tenant, OTHER, "351912000111", "p-1"));
    assert_ne!(mine, MessageId::of_pending(tenant, ME, "351912000112", "p-1"));
    assert_ne!(mine, MessageId::of_pending(tenant, ME, "351912000111", "p-2"));
    assert_ne!(mine, MessageId::of_pending(elsewhere, ME, "351912000111", "p-1"));
}

#[test]
fn r_msg_6_a_send_is_keyed_by_its_message() {
    let events = given(&[hello()]).when(send(me(), "text", NOW)).decision().unwrap();
    assert_eq!(events.len(), 1, "one send records exactly one message");
    assert_eq!(events[0].idempotency_key(), Some(queued_key(id(2))));
    assert_ne!(queued_key(id(2)), queued_key(id(3)));
}

#[test]
fn r_msg_10_permission_is_checked_before_the_window() {
    let nobody = actor(ME, Role::User, Scope::All, Scope::None);
    given(&[hello()]).when(send(nobody.clone(), "text", WRITTEN + DAY)).refused(ChatRefusal::NotWritable);
    given(&[]).when(send(nobody, "text", NOW)).refused(ChatRefusal::NotWritable);
}

#[test]
fn r_msg_10_a_closed_window_refuses_before_anything_is_recorded() {
    given(&[hello()]).when(send(me(), "text", WRITTEN + DAY)).refused(ChatRefusal::WindowClosed);
    given(&[])
        .when(send(actor(ME, Role::User, Scope::User, Scope::User), "text", NOW))
        .refused(ChatRefusal::WindowClosed);
}

#[test]
fn r_msg_11_sending_neither_assigns_nor_marks() {
    let before = given(&[hello(), assigned(None, Some(MINE)), marked(ME, WRITTEN - 5)]).state();
    let events = given(&[hello(), assigned(None, Some(MINE))]).when(send(me(), "text", NOW)).decision().unwrap();
    assert_eq!(events, [queued(2, ME, "text", NOW)]);
    let mut after = before.clone();
    events.iter().for_each(|event| after.evolve(event, Position(9)));
    assert_eq!((after.assignment, after.marks), (before.assignment, before.marks));
}

#[test]
fn r_chat_6_a_chat_exists_from_its_first_message_in_either_direction() {
    assert!(!given(&[]).state().exists);
    assert!(given(&[hello()]).state().exists);
    assert!(given(&[queued(2, ME, "template", NOW)]).state().exists);
}

#[test]
fn r_rcv_2_an_older_message_arriving_late_is_not_the_newest() {
    assert_eq!(given(&[hello(), queued(2, ME, "text", NOW)]).state().newest_message, NOW);
    let late = [queued(2, ME, "text", NOW), received_at("wamid.0", "text", WRITTEN, NOW)];
    assert_eq!(given(&late).state().newest_message, NOW);
}
