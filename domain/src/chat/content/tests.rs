//! What may be sent and what may not, by type.

use super::*;

fn found(kind: &str, content: Value) -> Vec<Problem> {
    problems(kind, &content)
}

fn one(path: &str, violation: Violation) -> Vec<Problem> {
    vec![(path.to_owned(), violation)]
}

#[test]
fn a_text_has_a_body_of_at_most_4096_characters() {
    assert_eq!(found("text", json!({"body": "é".repeat(4_096), "preview_url": true})), []);
    assert_eq!(found("text", json!({"body": "é".repeat(4_097)})), one("text.body", Violation::TooLong(4_096)));
    assert_eq!(found("text", json!({})), one("text.body", Violation::Missing));
    assert_eq!(found("text", json!({"body": ""})), one("text.body", Violation::Blank));
    assert_eq!(found("text", json!({"body": 1})), one("text.body", Violation::NotText));
    assert_eq!(found("text", json!("hi")), one("text", Violation::NotAnObject));
}

#[test]
fn a_medium_has_a_link_or_an_id() {
    for kind in ["image", "video", "audio", "voice", "document", "sticker"] {
        assert_eq!(found(kind, json!({"link": "https://a.example/x", "mime_type": "x/y"})), [], "{kind}");
        assert_eq!(found(kind, json!({"id": "123"})), [], "{kind}");
        assert_eq!(found(kind, json!({})), one(&format!("{kind}.link"), Violation::Missing));
    }
    let long = json!({"id": "1", "caption": "a".repeat(1_025), "filename": "b".repeat(241)});
    assert_eq!(found("image", long.clone()), one("image.caption", Violation::TooLong(1_024)));
    assert_eq!(found("sticker", long.clone()), []);
    assert_eq!(found("document", long).len(), 2);
}

#[test]
fn a_location_is_on_earth() {
    assert_eq!(found("location", json!({"latitude": -90, "longitude": "180.0"})), []);
    let off = found("location", json!({"latitude": 90.1, "longitude": "x"}));
    assert_eq!(off[0].1, Violation::OutOfRange { least: -90, most: 90 });
    assert_eq!(off[1].1, Violation::OutOfRange { least: -180, most: 180 });
}

#[test]
fn contacts_have_names() {
    assert_eq!(found("contacts", json!([{"name": {"formatted_name": "Rui"}}])), []);
    assert_eq!(found("contacts", json!([])), one("contacts", Violation::Missing));
    assert_eq!(found("contacts", json!([{"name": {}}])), one("contacts.0.name.formatted_name", Violation::Missing));
    assert_eq!(found("contacts", json!([1])), one("contacts.0", Violation::NotAnObject));
}

#[test]
fn buttons_are_few_and_short() {
    let button = |title: &str| json!({"type": "reply", "reply": {"id": "1", "title": title}});
    let with = |buttons: Vec<Value>| json!({"type": "button", "action": {"buttons": buttons}});
    assert_eq!(found("interactive", with(vec![button("Yes")])), []);
    assert_eq!(found("interactive", with(vec![])), one("interactive.action.buttons", Violation::Missing));
    let four = found("interactive", with(vec![button("a"); 4]));
    assert_eq!(four, one("interactive.action.buttons", Violation::TooMany(3)));
    let long = found("interactive", with(vec![button(&"a".repeat(21))]));
    assert_eq!(long, one("interactive.action.buttons.0.reply.title", Violation::TooLong(20)));
    assert_eq!(found("interactive", json!({"type": "cta_url"})), []);
}

#[test]
fn the_content_is_sent_as_it_was_written() {
    let content = RawJson::parse(r#"{"body": "hi",  "preview_url":true}"#.to_owned()).unwrap();
    let sent = message(&WaId::parse("351912").unwrap(), "text", &content);
    assert_eq!(
        sent.text(),
        r#"{"recipient_type":"individual","to":"351912","type":"text","text":{"body": "hi",  "preview_url":true}}"#
    );
}

#[test]
fn an_hsm_is_sent_as_a_template() {
    let hsm = json!({"namespace": "ns", "element_name": "order", "language": {"code": "pt_PT", "policy": "fallback"},
                     "localizable_params": [{"default": "Rui"}, {"default": "€ 5", "currency":
                     {"currency_code": "EUR", "amount_1000": 5000}}]});
    assert_eq!(problems("hsm", &hsm), []);
    let sent = message(&WaId::parse("351912").unwrap(), "hsm", &RawJson::from(&hsm)).tree();
    assert_eq!(sent["type"], "template");
    assert_eq!(sent["template"]["name"], "order");
    assert_eq!(sent["template"]["language"], json!({"code": "pt_PT", "policy": "fallback"}));
    let parameters = &sent["template"]["components"][0]["parameters"];
    assert_eq!(parameters[0], json!({"type": "text", "text": "Rui"}));
    assert_eq!(parameters[1]["currency"]["amount_1000"], 5000);
}
