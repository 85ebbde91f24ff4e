//! The 24-hour window as a chat keeps it (R-WIN-*).

use super::*;

/// WhatsApp's types of a contact's messages.
const OPENING: [&str; 14] = [
    "text",
    "image",
    "video",
    "audio",
    "voice",
    "document",
    "sticker",
    "location",
    "contacts",
    "reaction",
    "button",
    "interactive",
    "order",
    "unsupported",
];

fn is_open(events: &[ChatEvent], now: i64) -> bool {
    match given(events).when(send(me(), "text", now)).decision() {
        Ok(_) => true,
        Err(refusal) => {
            assert_eq!(refusal, ChatRefusal::WindowClosed);
            false
        }
    }
}

fn referred(timestamp: i64) -> ChatEvent {
    let incoming = Incoming { referral: true, ..incoming("wamid.ad", "text", timestamp) };
    Chat::default().decide(ChatCommand::ReceiveMessage { incoming, now: timestamp }).unwrap().remove(0)
}

#[test]
fn r_win_1_the_window_is_open_until_the_last_second_of_24_hours() {
    assert!(is_open(&[hello()], WRITTEN + DAY - 1));
    assert!(!is_open(&[hello()], WRITTEN + DAY));
}

#[test]
fn r_win_1_a_chat_whose_contact_never_wrote_has_no_window() {
    assert!(!is_open(&[queued(2, ME, "template", WRITTEN)], WRITTEN));
}

#[test]
fn r_win_2_every_type_of_message_from_the_contact_opens_the_window() {
    for kind in OPENING {
        assert!(is_open(&[received("wamid.1", kind, WRITTEN)], NOW), "{kind} opens the window");
    }
}

#[test]
fn r_win_2_a_type_unknown_today_opens_the_window() {
    assert!(is_open(&[received("wamid.1", "hologram", WRITTEN)], NOW));
}

#[test]
fn r_win_2_every_type_of_message_from_the_contact_extends_the_window() {
    for kind in OPENING {
        assert!(is_open(&[hello(), received("wamid.2", kind, WRITTEN + 100)], WRITTEN + DAY + 99), "{kind} extends");
    }
}

#[test]
fn r_win_2_nothing_but_the_contact_opens_or_extends_the_window() {
    let later = WRITTEN + 100;
    let echo = Echo {
        message_id: id(3),
        waba_id: "wamid.echo".into(),
        timestamp: later,
        kind: "text".into(),
        context: None,
        message: raw(&json!({})),
    };
    let report = StatusReport {
        waba_id: "wamid.2".into(),
        message_id: None,
        status: "delivered".into(),
        timestamp: later,
        report: raw(&json!({})),
    };
    let decide = |command| fold(&[hello()]).decide(command).unwrap();
    let change = AssignmentChange { user: Some(Some(ME)), group: None };
    let tagging = ChatCommand::TagChat { actor: me(), tag: vip(), extra: None, now: later };
    let none_of_these = [
        ("a system notice", vec![received("wamid.2", "system", later)]),
        ("our message", vec![queued(2, ME, "text", later)]),
        ("our template", vec![queued(2, ME, "template", later)]),
        ("a status", decide(ChatCommand::ReportStatus { report })),
        ("an echo of the phone app", decide(ChatCommand::EchoMessage { echo })),
        ("a tagging", decide(tagging)),
        ("an assignment", decide(ChatCommand::Assign { actor: me(), change, now: later })),
        ("a received mark", decide(mark(me(), later))),
    ];
    for (what, events) in none_of_these {
        assert!(!events.is_empty(), "{what} is recorded");
        let alone = fold(&events);
        assert_eq!((alone.last_incoming, alone.referred_at), (None, None), "{what} opens nothing");
        let both: Vec<_> = [hello()].into_iter().chain(events).collect();
        assert!(!is_open(&both, WRITTEN + DAY), "{what} extends nothing");
    }
}

#[test]
fn r_win_3_an_older_message_arriving_late_never_shortens_the_window() {
    let late = received_at("wamid.0", "text", WRITTEN - 5_000, NOW);
    assert!(is_open(&[hello(), late], WRITTEN + DAY - 1));
}

#[test]
fn r_win_3_a_timestamp_in_the_future_is_capped_at_its_receipt() {
    let ahead = received_at("wamid.1", "text", WRITTEN + 5_000, WRITTEN);
    assert!(is_open(std::slice::from_ref(&ahead), WRITTEN + DAY - 1));
    assert!(!is_open(&[ahead], WRITTEN + DAY));
}

#[test]
fn r_win_3_the_receipt_is_recorded_and_the_message_keeps_its_own_timestamp() {
    let command = ChatCommand::ReceiveMessage { incoming: incoming("wamid.1", "text", NOW + 5_000), now: NOW };
    given(&[]).when(command).expect(received_at("wamid.1", "text", NOW + 5_000, NOW));
}

#[test]
fn r_win_4_outside_the_window_only_a_template_may_be_sent() {
    let closed = WRITTEN + DAY;
    for kind in OPENING.into_iter().filter(|kind| *kind != "unsupported") {
        given(&[hello()]).when(send(me(), kind, closed)).refused(ChatRefusal::WindowClosed);
    }
    given(&[hello()]).when(send(me(), "template", closed)).expect(queued_outside(2, ME, closed));
}

#[test]
fn r_win_4_inside_the_window_every_type_may_be_sent() {
    for kind in ["text", "image", "interactive", "reaction", "template"] {
        given(&[hello()]).when(send(me(), kind, NOW)).expect(queued(2, ME, kind, NOW));
    }
}

#[test]
fn r_win_7_an_ad_referral_extends_to_72_hours_only_where_the_tenant_allows_it() {
    let outcome = |free_entry, now| {
        let command =
            ChatCommand::SendMessage { actor: me(), outgoing: outgoing(2, "text"), free_entry, counted: true, now };
        given(&[referred(WRITTEN)]).when(command).decision().err()
    };
    assert_eq!(outcome(true, WRITTEN + 3 * DAY - 1), None);
    assert_eq!(outcome(true, WRITTEN + 3 * DAY), Some(ChatRefusal::WindowClosed));
    assert_eq!(outcome(false, WRITTEN + DAY), Some(ChatRefusal::WindowClosed));
}

#[test]
fn r_win_7_a_chat_without_a_referral_keeps_24_hours_everywhere() {
    let command = ChatCommand::SendMessage {
        actor: me(),
        outgoing: outgoing(2, "text"),
        free_entry: true,
        counted: true,
        now: WRITTEN + DAY,
    };
    given(&[hello()]).when(command).refused(ChatRefusal::WindowClosed);
}

#[test]
fn r_win_7_a_message_after_the_referral_still_extends_the_ordinary_window() {
    let events = [referred(WRITTEN), received("wamid.2", "text", WRITTEN + 3 * DAY)];
    assert!(is_open(&events, WRITTEN + 4 * DAY - 1));
}

fn uncounted(actor: Actor, kind: &str, now: i64) -> ChatCommand {
    ChatCommand::SendMessage { actor, outgoing: outgoing(2, kind), free_entry: false, counted: false, now }
}

#[test]
fn r_acc_4_a_template_outside_the_window_is_sent_only_to_who_is_counted() {
    let closed = WRITTEN + DAY;
    given(&[hello()]).when(uncounted(me(), "template", closed)).refused(ChatRefusal::NotCounted);
    given(&[]).when(uncounted(me(), "template", closed)).refused(ChatRefusal::NotCounted);
    given(&[hello()]).when(send(me(), "template", closed)).expect(queued_outside(2, ME, closed));
}

#[test]
fn r_acc_4_inside_the_window_nobody_is_counted() {
    for kind in ["text", "template"] {
        given(&[hello()]).when(uncounted(me(), kind, NOW)).expect(queued(2, ME, kind, NOW));
    }
}

#[test]
fn r_acc_4_permission_and_window_are_looked_at_before_the_count() {
    let nobody = actor(OTHER, Role::User, Scope::All, Scope::None);
    given(&[hello()]).when(uncounted(nobody, "template", WRITTEN + DAY)).refused(ChatRefusal::NotWritable);
    given(&[hello()]).when(uncounted(me(), "text", WRITTEN + DAY)).refused(ChatRefusal::WindowClosed);
}
