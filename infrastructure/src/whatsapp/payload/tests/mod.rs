//! What the reader makes of every shape, and of everything that is not one.

mod flaws;
mod shapes;

use chatledger_application::ports::whatsapp::{Call, Envelope, InboundMessage, Item};

use super::read;

/// The Cloud form around some lists, given as text.
fn cloud(lists: &str) -> String {
    change(
        "messages",
        &format!(
            r#"{{"messaging_product":"whatsapp","metadata":{{"display_phone_number":"351210000000","phone_number_id":"1001"}},{lists}}}"#
        ),
    )
}

/// The Cloud form around one change.
fn change(field: &str, value: &str) -> String {
    format!(
        r#"{{"object":"whatsapp_business_account","entry":[{{"id":"2002","time":1700000000,"changes":[{{"value":{value},"field":"{field}"}}]}}]}}"#
    )
}

fn flat(lists: &str) -> String {
    format!("{{{lists}}}")
}

fn call(body: &str) -> Call {
    read(body.as_bytes()).unwrap()
}

/// The only item of a call without flaws.
fn only(body: &str) -> Item {
    let mut call = call(body);
    assert!(call.unreadable.is_empty(), "{:?}", call.unreadable);
    assert_eq!(call.items.len(), 1);
    call.items.remove(0).item
}

fn only_message(body: &str) -> InboundMessage {
    match only(body) {
        Item::Message(message) => message,
        other => panic!("{other:?}"),
    }
}

/// The reason for the only flaw of a call that holds nothing else, and the body that was kept.
fn flaw(body: &str) -> (String, Vec<u8>) {
    let mut call = call(body);
    assert!(call.items.is_empty(), "{:?}", call.items);
    assert_eq!(call.unreadable.len(), 1, "{:?}", call.unreadable);
    let unreadable = call.unreadable.remove(0);
    (unreadable.reason, unreadable.body)
}

/// A flaw, and reading what was kept shows the same flaw again.
fn lasting_flaw(body: &str) -> String {
    let (reason, kept) = flaw(body);
    assert_eq!(flaw(std::str::from_utf8(&kept).unwrap()).0, reason);
    reason
}

fn is_flat(envelope: &Envelope) -> bool {
    matches!(envelope, Envelope::Flat)
}
