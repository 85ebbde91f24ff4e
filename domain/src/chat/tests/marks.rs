//! Received marks (R-RCV-*).

use super::*;

#[test]
fn r_rcv_1_each_user_has_one_mark_a_chat() {
    given(&[hello()]).when(mark(me(), WRITTEN)).expect(marked(ME, WRITTEN));
    let chat = given(&[hello(), marked(ME, WRITTEN - 10), marked(ME, WRITTEN)]).state();
    assert_eq!(chat.marks.into_iter().collect::<Vec<_>>(), [(ME, WRITTEN)]);
}

#[test]
fn r_rcv_2_a_smaller_or_equal_mark_is_accepted_without_effect() {
    let events = [hello(), marked(ME, WRITTEN)];
    given(&events).when(mark(me(), WRITTEN - 1)).expect_nothing();
    given(&events).when(mark(me(), WRITTEN)).expect_nothing();
    given(&events).when(mark(me(), WRITTEN + 1)).expect(marked(ME, WRITTEN + 1));
}

#[test]
fn r_rcv_2_a_mark_beyond_now_is_cut_to_now() {
    given(&[hello()]).when(mark(me(), NOW + 1_000)).expect(marked(ME, NOW));
    given(&[hello(), marked(ME, NOW)]).when(mark(me(), NOW + 1_000)).expect_nothing();
}

#[test]
fn r_rcv_2_a_mark_may_reach_the_newest_message_even_beyond_now() {
    let ahead = [received_at("wamid.1", "text", NOW + 500, NOW)];
    given(&ahead).when(mark(me(), NOW + 500)).expect(marked(ME, NOW + 500));
    given(&ahead).when(mark(me(), NOW + 501)).expect(marked(ME, NOW + 500));
}

#[test]
fn r_rcv_3_nothing_but_a_request_to_mark_moves_a_mark() {
    let report = StatusReport {
        waba_id: "wamid.2".into(),
        message_id: None,
        status: "read".into(),
        timestamp: NOW,
        report: raw(&json!({})),
    };
    let change = AssignmentChange { user: Some(Some(ME)), group: None };
    let commands = [
        ChatCommand::ReceiveMessage { incoming: incoming("wamid.2", "text", NOW), now: NOW },
        ChatCommand::ReportStatus { report },
        ChatCommand::Assign { actor: me(), change, now: NOW },
        ChatCommand::TagChat { actor: me(), tag: vip(), extra: None, now: NOW },
        send(me(), "text", NOW),
    ];
    for command in commands {
        let events = given(&[hello()]).when(command).decision().unwrap();
        assert!(!events.is_empty());
        assert!(fold(&events).marks.is_empty());
    }
}

#[test]
fn r_rcv_3_a_mark_is_set_only_for_the_user_who_asks() {
    given(&[hello()]).when(mark(app(), WRITTEN)).expect(marked(BOT, WRITTEN));
}

#[test]
fn r_rcv_5_marks_of_one_user_never_affect_another() {
    let events = [hello(), marked(OTHER, NOW)];
    given(&events).when(mark(me(), WRITTEN)).expect(marked(ME, WRITTEN));
    let chat = given(&[hello(), marked(OTHER, NOW), marked(ME, WRITTEN)]).state();
    assert_eq!(chat.marks.into_iter().collect::<Vec<_>>(), [(ME, WRITTEN), (OTHER, NOW)]);
}
