//! Everything that is wrong with a call: one flaw never costs another element, and nothing is lost (R-IN-3, R-IN-6).

use chatledger_application::ports::whatsapp::Item;
use proptest::prelude::*;

use super::{super::read, call, change, cloud, flat, flaw, is_flat, lasting_flaw, only_message};

const GOOD: &str = r#"{"from":"5","id":"good","timestamp":"1","type":"text"}"#;

#[test]
fn r_in_3_what_is_no_object_is_no_call() {
    let deep_list = "[".repeat(100_000);
    let bodies: Vec<Vec<u8>> = vec![
        vec![],
        b" ".to_vec(),
        b"null".to_vec(),
        b"[]".to_vec(),
        b"\"text\"".to_vec(),
        b"5".to_vec(),
        b"{".to_vec(),
        b"{}{}".to_vec(),
        b"{\"a\":1,}".to_vec(),
        b"{\"a\":\"\n\"}".to_vec(),
        b"{\"a\":\"\xff\"}".to_vec(),
        b"\xed\xa0\x80".to_vec(),
        b"\x1f\x8b\x08\x00".to_vec(),
        deep_list.into_bytes(),
    ];
    for body in bodies {
        assert!(read(&body).is_err(), "{:?}", String::from_utf8_lossy(&body));
    }
}

#[test]
fn r_in_3_what_is_unknown_is_kept_with_its_reason() {
    for (body, reason) in [
        ("{}".to_owned(), "neither"),
        (r#"{"hello":1}"#.to_owned(), "neither"),
        (r#"{"entry":[]}"#.to_owned(), "neither"),
        (r#"{"object":"instagram","entry":[]}"#.to_owned(), "unknown `object`"),
        (r#"{"object":5}"#.to_owned(), "unknown `object`"),
        (r#"{"object":"\ud800"}"#.to_owned(), "unknown `object`"),
        (r#"{"object":"whatsapp_business_account","object":"whatsapp_business_account"}"#.to_owned(), "twice"),
        (r#"{"object":"whatsapp_business_account","entry":{}}"#.to_owned(), "`entry` is not a list"),
        (r#"{"object":"whatsapp_business_account","entry":[5]}"#.to_owned(), "`entry`: not an object"),
        (r#"{"object":"whatsapp_business_account","entry":[{"id":"1","changes":5}]}"#.to_owned(), "not a list"),
        (r#"{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[[]]}]}"#.to_owned(), "not an object"),
        (change("brand_new", "{}"), "unknown `field` brand_new"),
        (change("messages", "{}").replace(r#","field":"messages""#, ""), "`field` is missing"),
        (change("messages", "[]"), "`value`: not an object"),
        (change("messages", "null"), "`value` is missing"),
        (cloud(r#""messages":{}"#), "`messages` is not a list"),
        (cloud(r#""messages":[],"messages":[]"#), "twice"),
        (cloud(r#""contacts":[5]"#), "not an object"),
        (flat(r#""statuses":5"#), "`statuses` is not a list"),
        (change("message_template_status_update", r#"{"event":"X"}"#), "message_template_name"),
    ] {
        let found = lasting_flaw(&body);
        assert!(found.contains(reason), "{body}: {found}");
    }
}

#[test]
fn r_in_6_a_bad_message_is_put_aside_with_its_envelope() {
    let long = "x".repeat(513);
    for (message, reason) in [
        ("5".to_owned(), "not an object"),
        ("[]".to_owned(), "not an object"),
        ("null".to_owned(), "not an object"),
        (r#"{"from":"5","timestamp":"1"}"#.to_owned(), "`id` is missing"),
        (r#"{"from":"5","id":7,"timestamp":"1"}"#.to_owned(), "`id` is not a string"),
        (r#"{"from":"5","id":["a"],"timestamp":"1"}"#.to_owned(), "`id` is not a string"),
        (r#"{"from":"5","id":"","timestamp":"1"}"#.to_owned(), "`id` is empty"),
        (r#"{"from":"5","id":"a\u0000b","timestamp":"1"}"#.to_owned(), "control"),
        (r#"{"from":"5","id":"a\nb","timestamp":"1"}"#.to_owned(), "control"),
        (r#"{"from":"5","id":"\udc00","timestamp":"1"}"#.to_owned(), "not a string"),
        (format!(r#"{{"from":"5","id":"{long}","timestamp":"1"}}"#), "longer"),
        (r#"{"from":"5","id":"a","id":"b","timestamp":"1"}"#.to_owned(), "`id` occurs twice"),
        (r#"{"from":"5","id":"a"}"#.to_owned(), "`timestamp` is missing"),
        (r#"{"from":"5","id":"a","timestamp":"soon"}"#.to_owned(), "`timestamp`"),
        (r#"{"from":"5","id":"a","timestamp":1e400}"#.to_owned(), "`timestamp`"),
        (r#"{"from":"5","id":"a","timestamp":1.5}"#.to_owned(), "`timestamp`"),
        (r#"{"from":"5","id":"a","timestamp":-1}"#.to_owned(), "`timestamp`"),
        (r#"{"from":"5","id":"a","timestamp":99999999999999999999}"#.to_owned(), "`timestamp`"),
        (r#"{"from":"5","id":"a","timestamp":[1]}"#.to_owned(), "`timestamp`"),
        (r#"{"id":"a","timestamp":"1"}"#.to_owned(), "neither"),
        (r#"{"from":"me","id":"a","timestamp":"1"}"#.to_owned(), "neither"),
        (format!(r#"{{"from":"5","id":"a","timestamp":"1","x":{}{}}}"#, "[".repeat(127), "]".repeat(127)), "deep"),
        (
            format!(r#"{{"from":"5","id":"a","timestamp":"1","x":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000)),
            "deep",
        ),
    ] {
        for form in [cloud as fn(&str) -> String, flat] {
            let found = lasting_flaw(&form(&format!(r#""messages":[{message}]"#)));
            assert!(found.contains(reason), "{found}");
            let call = call(&form(&format!(r#""messages":[{GOOD},{message},{GOOD}]"#)));
            assert_eq!((call.items.len(), call.unreadable.len()), (2, 1));
            let kept = String::from_utf8(call.unreadable[0].body.clone()).unwrap();
            assert!(kept.contains(&message) && !kept.contains("good"));
            assert_eq!(call.unreadable[0].phone_number_id.is_none(), is_flat(&call.items[0].envelope));
        }
    }
}

#[test]
fn r_in_6_a_bad_status_is_put_aside() {
    for (status, reason) in [
        (r#"{"id":"a","timestamp":"1","recipient_id":"5"}"#, "`status` is missing"),
        (r#"{"id":"a","status":"sent","timestamp":"1"}"#, "neither"),
        (r#"{"status":"sent","timestamp":"1","recipient_id":"5"}"#, "`id` is missing"),
        (r#"{"id":"a","status":"sent","recipient_id":"5"}"#, "`timestamp` is missing"),
        (r#"{"id":"a","status":"sent","status":"read","timestamp":"1","recipient_id":"5"}"#, "twice"),
    ] {
        assert!(lasting_flaw(&cloud(&format!(r#""statuses":[{status}]"#))).contains(reason), "{status}");
    }
}

#[test]
fn r_in_3_content_that_a_database_would_refuse_is_kept_byte_for_byte() {
    for content in [
        r#""text":{"body":"a\u0000b"}"#,
        r#""text":{"body":"\ud800 \udc00"}"#,
        r#""text":{"body":"a","body":"b"}"#,
        r#""n":[1e400,-0.0,1.10,123456789012345678901234567890]"#,
        r#""\ud800":1"#,
        r#""\u0000":1"#,
    ] {
        let message = format!(r#"{{"from":"5","id":"a","timestamp":"1",{content}}}"#);
        assert_eq!(only_message(&cloud(&format!(r#""messages":[{message}]"#))).message.text(), message);
    }
    let deep = format!(r#"{{"from":"5","id":"a","timestamp":"1","x":{}{}}}"#, "[".repeat(99), "]".repeat(99));
    assert_eq!(only_message(&flat(&format!(r#""messages":[{deep}]"#))).message.text(), deep);
    let braces = format!(r#"{{"from":"5","id":"a","timestamp":"1","x":"\"{}"}}"#, "[{".repeat(500));
    assert_eq!(only_message(&flat(&format!(r#""messages":[{braces}]"#))).message.text(), braces);
}

#[test]
fn r8_999_of_1000_survive_one_bad_element() {
    let messages: Vec<_> = (0..1000)
        .map(|n| if n == 500 { r#"{"id":7}"#.to_owned() } else { GOOD.replace("good", &format!("wamid.{n}")) })
        .collect();
    let call = call(&cloud(&format!(r#""messages":[{}]"#, messages.join(","))));
    assert_eq!((call.items.len(), call.unreadable.len()), (999, 1));
    assert!(call.items.iter().all(|routed| matches!(routed.item, Item::Message(_))));
}

#[test]
fn a_flaw_of_one_change_leaves_the_others() {
    let good = format!(r#"{{"field":"messages","value":{{"messages":[{GOOD}]}}}}"#);
    let body = format!(
        r#"{{"object":"whatsapp_business_account","entry":[5,{{"id":"1","changes":[{{"field":"new","value":{{}}}},{good}]}},{{"id":"2","changes":{{}}}},{{"id":"3","changes":[{good}]}}]}}"#
    );
    let call = call(&body);
    assert_eq!((call.items.len(), call.unreadable.len()), (2, 3));
    assert!(call.items.iter().all(|routed| routed.phone_number_id.is_none()));
}

#[test]
fn a_deep_envelope_is_put_aside_whole() {
    let body = format!(r#"{{"object":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let (reason, kept) = flaw(&body);
    assert!(reason.len() < 200);
    assert_eq!(kept, body.into_bytes());
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        ".{0,12}".prop_map(Into::into),
        Just("whatsapp_business_account".into()),
        Just("messages".into()),
        Just("351912000111".into()),
    ];
    let key = prop_oneof![
        prop::sample::select(vec![
            "object",
            "entry",
            "id",
            "changes",
            "field",
            "value",
            "metadata",
            "phone_number_id",
            "contacts",
            "messages",
            "statuses",
            "errors",
            "message_echoes",
            "from",
            "timestamp",
            "type",
            "status",
            "recipient_id",
            "profile",
        ])
        .prop_map(str::to_owned),
        ".{0,6}".prop_map(String::from),
    ];
    leaf.prop_recursive(8, 128, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::vec((key.clone(), inner), 0..6)
                .prop_map(|fields| serde_json::Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn r10_no_bytes_make_it_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&body);
    }

    #[test]
    fn r10_nothing_of_an_object_is_lost(message in json(), value in json(), entry in json(), top in json()) {
        let _ = read(top.to_string().as_bytes());
        for body in [
            cloud(&format!(r#""messages":[{message},{GOOD}],"statuses":[{value}],"contacts":[{entry}]"#)),
            format!(r#"{{"object":"whatsapp_business_account","entry":[{entry}]}}"#),
            change("messages", &value.to_string()),
        ] {
            let call = read(body.as_bytes());
            prop_assert!(call.is_ok());
            for kept in call.into_iter().flat_map(|call| call.unreadable) {
                prop_assert!(read(&kept.body).is_ok_and(|call| !call.unreadable.is_empty()));
            }
        }
    }

    #[test]
    fn r10_a_cut_or_altered_body_does_not_make_it_panic(at in 0_usize..300, bit in 0_u8..8, cut in any::<bool>()) {
        let mut body = cloud(&format!(r#""contacts":[{{"profile":{{"name":"A"}},"wa_id":"5"}}],"messages":[{GOOD}]"#)).into_bytes();
        let at = at % body.len();
        if cut { body.truncate(at) } else { body[at] ^= 1 << bit }
        let _ = read(&body);
    }
}
