//! Every shape of the contract (§6.3), in both forms.

use chatledger_application::ports::whatsapp::{InboundStatus, Item, Routed, callback_data};
use chatledger_domain::{MessageId, WaId};

use super::{super::body_of, call, change, cloud, flat, is_flat, only, only_message};

const HEAD: &str = r#""from":"351912000111","id":"wamid.A","timestamp":"1700000001""#;
const CONTACTS: &str = r#""contacts":[{"profile":{"name":"Ana"},"wa_id":"351912000111"}]"#;

/// Every type of the table with its object.
const TYPES: &[(&str, &str)] = &[
    ("text", r#""text":{"body":"Olá \ud83d\ude00"}"#),
    ("image", r#""image":{"id":"m1","mime_type":"image/jpeg","sha256":"x","caption":"c"}"#),
    ("image", r#""image":{"id":"m1","mime_type":"image/jpeg","sha256":"x","link":"https://w/m1","file":"/m1"}"#),
    ("video", r#""video":{"id":"m2","mime_type":"video/mp4","sha256":"x"}"#),
    ("audio", r#""audio":{"id":"m3","mime_type":"audio/ogg; codecs=opus","sha256":"x","voice":true}"#),
    ("voice", r#""voice":{"id":"m3","mime_type":"audio/ogg; codecs=opus","sha256":"x"}"#),
    ("document", r#""document":{"id":"m4","mime_type":"application/pdf","sha256":"x","filename":"a.pdf"}"#),
    ("sticker", r#""sticker":{"id":"m5","mime_type":"image/webp","sha256":"x","animated":false}"#),
    ("location", r#""location":{"latitude":38.7,"longitude":-9.1,"name":"n","address":"a","url":"u"}"#),
    ("contacts", r#""contacts":[{"name":{"formatted_name":"Bo"},"phones":[{"phone":"1","wa_id":"1"}]}]"#),
    ("interactive", r#""interactive":{"type":"button_reply","button_reply":{"id":"b","title":"B"}}"#),
    ("interactive", r#""interactive":{"type":"list_reply","list_reply":{"id":"l","title":"L","description":"d"}}"#),
    ("interactive", r#""interactive":{"type":"nfm_reply","nfm_reply":{"name":"flow","response_json":"{}"}}"#),
    ("button", r#""button":{"text":"Yes","payload":"yes"}"#),
    ("order", r#""order":{"catalog_id":"c","product_items":[{"product_retailer_id":"p","quantity":"2"}]}"#),
    ("reaction", r#""reaction":{"message_id":"wamid.Z","emoji":"\u2764"}"#),
    ("reaction", r#""reaction":{"message_id":"wamid.Z"}"#),
    ("system", r#""system":{"body":"changed","type":"user_changed_number","wa_id":"351912000222"}"#),
    ("unsupported", r#""errors":[{"code":131051,"title":"Unsupported message type"}]"#),
    ("unknown", r#""errors":[{"code":501,"title":"Unknown message type"}]"#),
    ("ephemeral", r#""errors":[{"code":501,"title":"Unsupported"}]"#),
    ("hologram", r#""hologram":{"beam":1}"#),
];

#[test]
fn r_in_7_every_type_is_kept_as_it_came_in_both_forms() {
    for (kind, content) in TYPES {
        let object = format!(r#"{{ {HEAD} , "type":"{kind}",{content} }}"#);
        for (form, flat_form) in [(cloud as fn(&str) -> String, false), (flat, true)] {
            let call = call(&form(&format!(r#"{CONTACTS},"messages":[{object}]"#)));
            assert!(call.unreadable.is_empty(), "{kind}: {:?}", call.unreadable);
            let [Routed { phone_number_id, item: Item::Message(message), envelope }] = &call.items[..] else {
                panic!("{kind}: {:?}", call.items)
            };
            assert_eq!(phone_number_id.as_deref(), (!flat_form).then_some("1001"));
            assert_eq!(is_flat(envelope), flat_form);
            assert_eq!(message.kind, *kind);
            assert_eq!(message.message.text(), object);
            assert_eq!(message.wa_id.as_str(), "351912000111");
            assert_eq!((message.waba_id.as_str(), message.timestamp), ("wamid.A", 1_700_000_001));
            assert_eq!(message.name.as_deref(), Some("Ana"));
            assert_eq!(message.contact.as_ref().unwrap().text(), &CONTACTS[12..CONTACTS.len() - 1]);
            assert!(!message.referral && message.context.is_none());
        }
    }
}

#[test]
fn context_and_referral_are_seen() {
    let body =
        format!(r#""messages":[{{{HEAD},"type":"text","context":{{"from":"1","id":"wamid.Q"}},"referral":{{}}}}]"#);
    let message = only_message(&cloud(&body));
    assert_eq!(message.context.as_deref(), Some("wamid.Q"));
    assert!(message.referral);
    let forwarded = format!(r#""messages":[{{{HEAD},"context":{{"forwarded":true}},"referral":null}}]"#);
    let message = only_message(&cloud(&forwarded));
    assert_eq!((message.context, message.referral, message.kind.as_str()), (None, false, "unknown"));
}

#[test]
fn a_hidden_number_is_known_by_its_business_scoped_id() {
    let body = r#""contacts":[{"profile":{"name":"Bea"},"user_id":"US.13A"},{"profile":{"name":"Ana"},"wa_id":"5"}],
        "messages":[{"from_user_id":"US.13A","id":"w","timestamp":1,"type":"text"},
                    {"from":"5","from_user_id":"US.5","id":"x","timestamp":1,"type":"text"}]"#;
    let call = call(&cloud(body));
    let names: Vec<_> = call
        .items
        .iter()
        .map(|routed| match &routed.item {
            Item::Message(message) => (message.wa_id.as_str(), message.name.as_deref()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(names, [("US.13A", Some("Bea")), ("5", Some("Ana"))]);
}

#[test]
fn r_in_8_an_unusable_name_is_no_name_but_the_contact_is_kept() {
    for name in [r#""""#, r#""  ""#, "null", "5", r#""a\u0000b""#, r#""\ud800""#, "{}"] {
        let contact = format!(r#"{{"profile":{{"name":{name}}},"wa_id":"351912000111"}}"#);
        let message = only_message(&cloud(&format!(r#""contacts":[{contact}],"messages":[{{{HEAD}}}]"#)));
        assert_eq!(message.name, None, "{name}");
        assert_eq!(message.contact.unwrap().text(), contact);
    }
}

#[test]
fn a_contact_of_somebody_else_is_not_taken() {
    let body = r#""contacts":[{"profile":{"name":"Ana"},"wa_id":"5"}],
        "messages":[{"from":"5","id":"a","timestamp":1},{"from":"6","id":"b","timestamp":1}]"#;
    let call = call(&flat(body));
    let names: Vec<_> = call
        .items
        .iter()
        .map(|routed| match &routed.item {
            Item::Message(message) => message.name.as_deref(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(names, [Some("Ana"), None]);
}

#[test]
fn messages_and_statuses_need_no_field_to_be_told_apart() {
    let bare = |lists: &str| cloud(lists).replace(r#","field":"messages""#, "");
    assert_eq!(only_message(&bare(r#""messages":[{"from":"5","id":"a","timestamp":"1"}]"#)).timestamp, 1);
    let sent = r#""statuses":[{"id":"a","recipient_id":"5","status":"sent","timestamp":"1"}]"#;
    assert_eq!(status(&bare(sent)).waba_id, "a");
}

#[test]
fn milliseconds_are_divided() {
    for written in ["1700000001", "\"1700000001\"", "1700000001999", "\"1700000001999\""] {
        let body = format!(r#""messages":[{{"from":"5","id":"a","timestamp":{written}}}]"#);
        assert_eq!(only_message(&flat(&body)).timestamp, 1_700_000_001);
    }
}

fn status(body: &str) -> InboundStatus {
    match only(body) {
        Item::Status(status) => status,
        other => panic!("{other:?}"),
    }
}

#[test]
fn statuses_lead_back_to_our_message() {
    let id = MessageId("0190a1b2-0000-7000-8000-000000000001".parse().unwrap());
    let ours = callback_data(id, &WaId::parse("US.13A").unwrap());
    let report = format!(
        r#"{{"id":"wamid.A","recipient_id":"351912000111","status":"delivered","timestamp":"1700000002","biz_opaque_callback_data":"{ours}","conversation":{{"id":"c","origin":{{"type":"service"}}}},"pricing":{{"billable":true}}}}"#
    );
    let read = status(&cloud(&format!(r#""statuses":[{report}]"#)));
    assert_eq!((read.wa_id.as_str(), read.message_id), ("US.13A", Some(id)));
    assert_eq!((read.waba_id.as_str(), read.status.as_str(), read.timestamp), ("wamid.A", "delivered", 1_700_000_002));
    assert_eq!(read.report.text(), report);
}

#[test]
fn statuses_without_our_data_have_a_recipient() {
    let head = r#""id":"gBGG","status":"read","timestamp":"1700000002""#;
    for (recipient, wa_id) in [
        (r#""recipient_id":"351912000111","biz_opaque_callback_data":"somebody's""#, "351912000111"),
        (r#""recipient_user_id":"US.13A""#, "US.13A"),
        (r#""message":{"recipient_id":"5"}"#, "5"),
    ] {
        let read = status(&flat(&format!(r#""statuses":[{{{head},{recipient}}}]"#)));
        assert_eq!((read.wa_id.as_str(), read.message_id), (wa_id, None));
    }
}

#[test]
fn echoes_are_read_under_either_key() {
    let echo = r#"{"from":"351210000000","to":"351912000111","id":"wamid.E","timestamp":"1700000003","type":"text"}"#;
    for field in ["smb_message_echoes", "message_echoes"] {
        for key in ["message_echoes", "messages"] {
            let value = format!(r#"{{"metadata":{{"phone_number_id":"1001"}},"{key}":[{echo}]}}"#);
            let call = call(&change(field, &value));
            let [Routed { phone_number_id: Some(number), item: Item::Echo(read), .. }] = &call.items[..] else {
                panic!("{call:?}")
            };
            assert_eq!((number.as_str(), read.wa_id.as_str(), read.message.text()), ("1001", "351912000111", echo));
        }
    }
}

#[test]
fn notices_are_kept_and_told_apart() {
    let value = r#"{"event":"APPROVED","message_template_id":1,"message_template_name":"hi","message_template_language":"pt_PT"}"#;
    let body = change("message_template_status_update", value);
    let template = |body: &str| match only(body) {
        Item::TemplateStatus { name, language, status, report, fingerprint } => {
            assert_eq!((name.as_str(), language.as_str(), report.text()), ("hi", "pt_PT", value));
            assert_eq!(status, "approved");
            fingerprint
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(template(&body), template(&body));
    assert_ne!(template(&body), template(&body.replace("1700000000", "1700000009")));
    for field in ["account_update", "phone_number_quality_update", "account_alerts", "security"] {
        match only(&change(field, r#"{"event":"X"}"#)) {
            Item::Notice { field: kind, report, .. } => {
                assert_eq!((kind.as_str(), report.text()), (field, r#"{"event":"X"}"#))
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn known_fields_of_no_use_and_groups_are_ignored() {
    for body in [
        change("history", r#"{"history":[]}"#),
        change("flows", "{}"),
        cloud(&format!(r#""messages":[{{{HEAD},"group_id":"g"}}]"#)),
        cloud(
            r#""statuses":[{"id":"a","status":"sent","timestamp":"1","recipient_id":"g@x","recipient_type":"group"}]"#,
        ),
        cloud(r#""messages":[]"#),
        flat(r#""messages":[]"#),
        r#"{"object":"whatsapp_business_account","entry":[]}"#.to_owned(),
        r#"{"object":"whatsapp_business_account"}"#.to_owned(),
    ] {
        let call = call(&body);
        assert!(call.items.is_empty() && call.unreadable.is_empty(), "{body}: {call:?}");
    }
}

#[test]
fn several_entries_and_changes_keep_their_order_and_numbers() {
    let change = |number: &str, id: &str| {
        format!(
            r#"{{"field":"messages","value":{{"metadata":{{"phone_number_id":"{number}"}},"messages":[{{"from":"5","id":"{id}","timestamp":"1"}}]}}}}"#
        )
    };
    let body = format!(
        r#"{{"entry":[{{"id":"1","changes":[{},{}]}},{{"id":"2","changes":[{}]}}],"object":"whatsapp_business_account"}}"#,
        change("n1", "a"),
        change("n2", "b"),
        change("n1", "c")
    );
    let call = call(&body);
    let seen: Vec<_> = call
        .items
        .iter()
        .map(|routed| match &routed.item {
            Item::Message(message) => (routed.phone_number_id.as_deref().unwrap(), message.waba_id.as_str()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(seen, [("n1", "a"), ("n2", "b"), ("n1", "c")]);
}

#[test]
fn an_item_in_an_envelope_of_its_own_reads_as_before() {
    let echo = r#"{"metadata":{"phone_number_id":"1001"},"message_echoes":[{"to":"5","id":"e","timestamp":"1"}]}"#;
    for body in [
        cloud(&format!(r#"{CONTACTS},"messages":[{{{HEAD},"type":"text"}}]"#)),
        flat(&format!(r#"{CONTACTS},"messages":[{{{HEAD},"type":"text"}}]"#)),
        cloud(r#""statuses":[{"id":"a","status":"sent","timestamp":"1","recipient_id":"5"}]"#),
        change("smb_message_echoes", echo),
        change("account_update", r#"{"event":"X"}"#),
        cloud(r#""errors":[{"code":1}]"#),
        flat(r#""errors":[{"code":1}]"#),
    ] {
        let first = call(&body).items.remove(0);
        let second = call(std::str::from_utf8(&body_of(&first)).unwrap()).items.remove(0);
        assert_eq!(first.phone_number_id, second.phone_number_id);
        assert_eq!(body_of(&first), body_of(&second));
        assert_eq!(format!("{:?}", first.envelope), format!("{:?}", second.envelope));
    }
}
