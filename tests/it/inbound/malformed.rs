//! R-IN-3, R-IN-6: what is no call is 400, what nobody knows is kept with its reason, and one bad element blocks none.

use serde_json::{Value, json};

use super::{ANA, at_channel, messages_of, quarantined};
use crate::harness::inbox::{Inbox, contact, now, text_message};

#[tokio::test]
async fn r_in_3_no_json_or_no_object_is_400_in_the_familys_form() {
    let inbox = Inbox::start().await;
    let bodies =
        ["", "not JSON", "[]", "[{\"object\":\"whatsapp_business_account\"}]", "null", "1", "\"x\"", "{\"a\":"];
    for body in bodies {
        for answer in [inbox.deliver(body).await, at_channel(&inbox, &inbox.channel_secret, body).await] {
            assert_eq!(answer.status, 400, "{body:?} {}", answer.text);
            assert_eq!(answer.body["success"], false, "{body:?} {}", answer.text);
            assert!(answer.body["error"].is_string(), "{}", answer.text);
        }
    }
    inbox.customer_writes(ANA, "still there").await;
}

#[tokio::test]
async fn r_in_3_unknown_objects_numbers_and_fields_are_200_and_kept_with_reason_and_body() {
    let inbox = Inbox::start().await;
    let message = text_message(ANA, "wamid.1", now(), "Hi");
    let good = inbox.call(json!({"messages": [message]})).to_string();
    let cases = [
        (json!({"object": "page", "entry": [{"id": "1"}]}).to_string(), "object"),
        (json!({"entry": []}).to_string(), "object"),
        (json!({}).to_string(), "object"),
        (good.replace(&inbox.phone_number_id, "999999"), "number"),
        (good.replace("\"field\":\"messages\"", "\"field\":\"brand_new\""), "brand_new"),
    ];
    for (index, (body, reason)) in cases.iter().enumerate() {
        let answer = inbox.deliver(body).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, r#"{"success":true}"#), "{body}");
        let kept = quarantined(&inbox).await;
        assert_eq!(kept.len(), index + 1, "{body}");
        let (why, _) =
            kept.iter().find(|(why, _)| why.contains(reason)).unwrap_or_else(|| panic!("{reason}: {kept:?}"));
        assert!(!why.is_empty());
    }
    let kept = quarantined(&inbox).await;
    assert_eq!(kept[0].1, cases[0].0, "the whole body, byte for byte");
    for (why, body) in &kept[3..] {
        assert!(body.contains("wamid.1") && body.contains("whatsapp_business_account"), "{why}: {body}");
    }
    assert!(kept[3].1.contains("999999"), "{}", kept[3].1);
    // The same again is the same row.
    assert_eq!(inbox.deliver(&cases[3].0).await.status, 200);
    assert_eq!(quarantined(&inbox).await.len(), cases.len());
    inbox.settle().await;
    assert_eq!(inbox.count("SELECT count(*) FROM read_models.messages").await, 0);
}

#[tokio::test]
async fn r_in_6_one_bad_element_never_blocks_the_others() {
    let inbox = Inbox::start().await;
    let bad = [
        json!({"from": ANA, "id": "wamid.bad1", "timestamp": "soon", "type": "text"}),
        json!({"from": "not a number", "id": "wamid.bad2", "timestamp": "1767693600", "type": "text"}),
        json!({"from": ANA, "timestamp": "1767693600", "type": "text", "text": {"body": "bad3"}}),
        json!("bad4"),
    ];
    let mut messages: Vec<Value> = (0..8).map(|i| text_message(ANA, &format!("wamid.{i}"), now(), "Hi")).collect();
    for (index, bad) in bad.iter().enumerate() {
        messages.insert(index * 2, bad.clone());
    }
    let statuses = json!([{"id": "wamid.s", "status": "sent"}, 7]);
    let call = inbox.call(json!({"contacts": [contact(ANA, "Ana"), 3], "messages": messages, "statuses": statuses}));
    assert_eq!(inbox.deliver(&call.to_string()).await.status, 200);
    inbox.settle().await;
    assert_eq!(messages_of(&inbox, ANA).await.len(), 8);
    let kept = quarantined(&inbox).await;
    assert_eq!(kept.len(), bad.len() + 3, "{kept:#?}");
    assert!(kept.iter().all(|(why, _)| !why.is_empty()));
    for bad in ["bad1", "bad2", "bad3", "bad4"] {
        let of_it: Vec<_> = kept.iter().filter(|(_, body)| body.contains(bad)).collect();
        assert_eq!(of_it.len(), 1, "{bad}");
        // In an envelope of its own, so that it can be tried again.
        assert!(of_it[0].1.contains(&inbox.phone_number_id), "{}", of_it[0].1);
    }
}

#[tokio::test]
async fn r_in_6_bad_entries_and_changes_never_block_the_others() {
    let inbox = Inbox::start().await;
    let good = |id: &str| {
        let call = inbox.call(json!({"messages": [text_message(ANA, id, now(), "Hi")]}));
        call["entry"][0].clone()
    };
    let mut mixed = good("wamid.2");
    mixed["changes"].as_array_mut().unwrap().splice(0..0, [json!(1), json!({"field": "messages"}), json!({})]);
    let body = json!({"object": "whatsapp_business_account",
        "entry": [null, good("wamid.1"), 7, {"id": "1", "changes": "none"}, mixed, good("wamid.3")]});
    assert_eq!(inbox.deliver(&body.to_string()).await.status, 200);
    inbox.settle().await;
    let ids: Vec<Value> = messages_of(&inbox, ANA).await.iter().map(|m| m["waba_payload"]["id"].clone()).collect();
    assert_eq!(ids.len(), 3, "{ids:?}");
    assert_eq!(quarantined(&inbox).await.len(), 6);
}
