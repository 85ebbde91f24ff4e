//! What is added to WhatsApp's objects, and where a body is split.

use chatledger_domain::MessageId;
use uuid::Uuid;

use super::{
    body::{Cloud, Key, Unit, bodies},
    status::relayed,
};

#[test]
fn a_status_is_passed_on_as_it_came_with_our_id_beside_its_own() {
    let report = r#"{"id":"wamid.1", "status":"sent","x":1.0,"y":"\ud800"}"#;
    assert_eq!(relayed(report, None), r#"{"id":"wamid.1","status":"sent","x":1.0,"y":"\ud800"}"#);
    let ours = MessageId(Uuid::nil());
    let expected = format!(r#"{{"id":"wamid.1","getchat_id":"{ours}","status":"sent","x":1.0,"y":"\ud800"}}"#);
    assert_eq!(relayed(report, Some(ours)), expected);
}

#[test]
fn errors_of_a_status_have_details() {
    let report = r#"{"errors":[{"code":1,"error_data":{"details":"why"}},{"code":2,"details":"so","error_data":{"details":"x"}},{"code":3}]}"#;
    let expected = r#"{"errors":[{"code":1,"error_data":{"details":"why"},"details":"why"},{"code":2,"details":"so","error_data":{"details":"x"}},{"code":3}]}"#;
    assert_eq!(relayed(report, None), expected);
}

fn message(n: i64) -> Unit {
    let objects = vec![
        (Key::Contacts, "{}".into()),
        (Key::Messages, format!(r#"{{"n":{n}}}"#).into()),
        (Key::IncomingMessages, format!(r#"{{"ours":{n}}}"#).into()),
    ];
    Unit { objects, mark: Some(("1".to_owned(), n)) }
}

#[test]
fn keys_are_lists_of_what_belongs_together() {
    let made = bodies(vec![message(2), message(1)], None, usize::MAX);
    let [body] = made.as_slice() else { panic!("{made:?}") };
    assert_eq!(
        body.text,
        r#"{"contacts":[{}],"messages":[{"n":2},{"n":1}],"incoming_messages":[{"ours":2},{"ours":1}]}"#
    );
    assert_eq!(body.keys, ["contacts", "messages", "incoming_messages"]);
    assert_eq!(body.marks, [("1".to_owned(), 2)]);
    assert!(bodies(Vec::new(), None, usize::MAX).is_empty());
}

#[test]
fn r_out_1_a_body_is_split_between_messages() {
    let long = |n: i64| Unit {
        mark: Some(("1".to_owned(), n)),
        ..Unit::of(Key::Messages, format!("\"{}\"", "x".repeat(900)))
    };
    let made = bodies(vec![long(1), long(2), long(3)], None, 1_024 + 1_900);
    assert_eq!(made.iter().map(|body| body.marks[0].1).collect::<Vec<_>>(), [2, 3]);
    // One that is too large alone is told all the same.
    assert_eq!(bodies(vec![long(1), long(2)], None, 10).len(), 2);
}

#[test]
fn the_cloud_form_holds_what_whatsapp_told_and_nothing_else() {
    let made = bodies(vec![message(1), Unit::of(Key::ChatTagging, "{}")], Some(&Cloud(None)), usize::MAX);
    let body: serde_json::Value = serde_json::from_str(&made[0].text).expect("JSON");
    assert_eq!(body["object"], "whatsapp_business_account");
    assert_eq!(body["entry"][0]["changes"][0]["field"], "messages");
    assert_eq!(body["entry"][0]["changes"][0]["value"]["messages"], serde_json::json!([{ "n": 1 }]));
    assert!(body["entry"][0]["changes"][0]["value"].get("incoming_messages").is_none());
    assert_eq!(body["incoming_messages"][0]["ours"], 1);
}
