//! What becomes of our messages: WhatsApp's answers, lost answers and statuses (R-MSG-8, R-MSG-9).

use super::*;

fn accept(number: u128) -> ChatCommand {
    ChatCommand::AcceptMessage { message_id: id(number), waba_id: "wamid.2".into(), response: raw(&json!({ "ok": 1 })) }
}

fn accepted(number: u128) -> ChatEvent {
    let response = Some(raw(&json!({ "ok": 1 })));
    MessageAccepted { message_id: id(number), waba_id: "wamid.2".into(), response }.into()
}

fn reject(number: u128) -> ChatCommand {
    ChatCommand::RejectMessage { message_id: id(number), errors: raw(&json!([{ "code": 131_026 }])) }
}

fn rejected(number: u128) -> ChatEvent {
    MessageRejected { message_id: id(number), errors: raw(&json!([{ "code": 131_026 }])) }.into()
}

fn lose(number: u128) -> ChatCommand {
    ChatCommand::LoseOutcome { message_id: id(number) }
}

fn unknown(number: u128) -> ChatEvent {
    MessageOutcomeUnknown { message_id: id(number) }.into()
}

fn report(status: &str, message_id: Option<MessageId>) -> ChatCommand {
    let report = raw(&json!({ "status": status }));
    let report = StatusReport { waba_id: "wamid.2".into(), message_id, status: status.into(), timestamp: NOW, report };
    ChatCommand::ReportStatus { report }
}

fn reported(status: &str, message_id: Option<MessageId>) -> ChatEvent {
    let report = raw(&json!({ "status": status }));
    MessageStatusReported { waba_id: "wamid.2".into(), message_id, status: status.into(), timestamp: NOW, report }
        .into()
}

/// The acceptance that a status told us of.
fn settled(number: u128) -> ChatEvent {
    MessageAccepted { message_id: id(number), waba_id: "wamid.2".into(), response: None }.into()
}

fn sent() -> ChatEvent {
    queued(2, ME, "text", NOW)
}

#[test]
fn an_accepted_message_is_settled_and_a_repeat_is_no_event() {
    given(&[hello(), sent()]).when(accept(2)).expect(accepted(2));
    given(&[hello(), sent(), accepted(2)]).when(accept(2)).expect_nothing();
    given(&[hello(), sent(), rejected(2)]).when(accept(2)).expect_nothing();
    given(&[hello()]).when(accept(2)).expect_nothing();
    assert_eq!(accepted(2).idempotency_key(), Some(accepted_key(id(2))));
}

#[test]
fn a_rejected_message_is_settled_and_a_repeat_is_no_event() {
    given(&[hello(), sent()]).when(reject(2)).expect(rejected(2));
    given(&[hello(), sent(), rejected(2)]).when(reject(2)).expect_nothing();
    given(&[hello(), sent(), accepted(2)]).when(reject(2)).expect_nothing();
    given(&[hello()]).when(reject(2)).expect_nothing();
}

#[test]
fn a_lost_answer_is_recorded_once_and_only_while_the_message_waits() {
    given(&[hello(), sent()]).when(lose(2)).expect(unknown(2));
    given(&[hello(), sent(), unknown(2)]).when(lose(2)).expect_nothing();
    given(&[hello(), sent(), accepted(2)]).when(lose(2)).expect_nothing();
    given(&[hello(), sent(), rejected(2)]).when(lose(2)).expect_nothing();
    given(&[hello()]).when(lose(2)).expect_nothing();
}

#[test]
fn an_unknown_outcome_is_settled_by_a_status_that_carries_our_id() {
    let past = [hello(), sent(), unknown(2)];
    given(&past).when(report("sent", Some(id(2)))).expect_all(&[settled(2), reported("sent", Some(id(2)))]);
    assert!(given(&[past.to_vec(), vec![settled(2)]].concat()).state().pending.is_empty());
}

#[test]
fn an_unknown_outcome_is_settled_by_a_late_answer_too() {
    given(&[hello(), sent(), unknown(2)]).when(accept(2)).expect(accepted(2));
    given(&[hello(), sent(), unknown(2)]).when(reject(2)).expect(rejected(2));
}

#[test]
fn a_status_without_our_id_settles_nothing() {
    given(&[hello(), sent(), unknown(2)]).when(report("sent", None)).expect(reported("sent", None));
    given(&[hello(), sent(), unknown(2)]).when(report("sent", Some(id(3)))).expect(reported("sent", Some(id(3))));
}

#[test]
fn r_msg_8_each_status_is_recorded_as_it_came_in_any_order() {
    let past = [hello(), sent(), accepted(2)];
    for status in ["read", "delivered", "sent", "failed", "warning"] {
        given(&past).when(report(status, None)).expect(reported(status, None));
    }
}

#[test]
fn r_msg_8_a_status_is_keyed_by_message_status_and_time() {
    assert_eq!(reported("read", None).idempotency_key(), Some(status_key("wamid.2", "read", NOW)));
    assert_eq!(reported("read", Some(id(2))).idempotency_key(), reported("read", None).idempotency_key());
    let keys = [("wamid.2", "read", NOW), ("wamid.3", "read", NOW), ("wamid.2", "sent", NOW), ("wamid.2", "read", 1)];
    let keys: BTreeSet<_> = keys.into_iter().map(|(id, status, at)| status_key(id, status, at)).collect();
    assert_eq!(keys.len(), 4);
}

#[test]
fn r_msg_9_a_status_that_overtakes_the_answer_is_kept_and_settles_the_message() {
    let past = [hello(), sent()];
    let expected = [settled(2), reported("delivered", Some(id(2)))];
    given(&past).when(report("delivered", Some(id(2)))).expect_all(&expected);
    given(&[past.to_vec(), expected.to_vec()].concat()).when(accept(2)).expect_nothing();
}

#[test]
fn r_msg_9_a_status_of_an_unknown_message_is_kept() {
    given(&[]).when(report("sent", None)).expect(reported("sent", None));
    assert!(!given(&[reported("sent", None)]).state().exists, "a status alone starts no chat");
}

#[test]
fn r_msg_9_statuses_change_neither_tags_nor_chat_nor_timestamps() {
    let past = [hello(), sent(), accepted(2), chat_tagged(None).into()];
    let before = given(&past).state();
    let after = given(&[past.to_vec(), vec![reported("failed", Some(id(2)))]].concat()).state();
    assert_eq!(before, after);
}

#[test]
fn the_state_stays_small_however_many_messages_were_settled() {
    let mut chat = given(&[hello()]).state();
    let size = |chat: &Chat| serde_json::to_string(chat).unwrap().len();
    let before = size(&chat);
    for number in 10..1_010_u128 {
        chat.evolve(&queued(number, ME, "text", NOW), Position(2));
        assert_eq!(chat.pending.len(), 1);
        let end = if number % 2 == 0 { accepted(number) } else { rejected(number) };
        chat.evolve(&end, Position(3));
        chat.evolve(&received("wamid.9", "text", NOW), Position(4));
    }
    assert!(chat.pending.is_empty());
    assert_eq!(size(&chat), before);
}
