//! Contract §A: the forms that all answers share.

use serde_json::{Value, json};

use super::{ANA, LISTS, RUI};
use crate::harness::inbox::{Inbox, now};

/// Everything there is, in every list: messages both ways with statuses, taggings, assignments.
async fn lived_in() -> Inbox {
    let inbox = Inbox::start().await;
    let message = inbox.customer_writes(RUI, "Hello").await;
    inbox.customer_writes(ANA, "Hi").await;
    let body = json!({"wa_id": RUI, "type": "text", "text": {"body": "Good day"}, "context": {"message_id": message}});
    let sent = inbox.post(&inbox.admin, "messages/", body).await.expect(201);
    let waba_id = sent["waba_response"]["messages"][0]["id"].as_str().expect("an id").to_owned();
    inbox.status(&waba_id, RUI, "delivered", now()).await;
    let tag = inbox.tag("vip").await;
    inbox.tag_message(tag, &message).await;
    inbox.give(RUI, &inbox.agent).await;
    inbox.post(&inbox.admin, "saved_responses/", json!({"text": "Thanks."})).await.expect(201);
    inbox
}

#[tokio::test]
async fn r_gen_6_times_are_whole_seconds_and_a_string_only_in_waba_payload() {
    let inbox = lived_in().await;
    let (mut numbers, mut strings) = (0, 0);
    for list in LISTS {
        let page = inbox.page(&inbox.admin, list).await;
        look(&page, false, list, &mut numbers, &mut strings);
    }
    assert!(numbers >= 10 && strings >= 4, "{numbers} numbers, {strings} strings");
}

fn look(value: &Value, in_payload: bool, place: &str, numbers: &mut usize, strings: &mut usize) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let is_time = key.contains("timestamp") || key.ends_with("_at");
                if is_time && in_payload {
                    let text = value.as_str().unwrap_or_else(|| panic!("{place}: {key} in a payload is {value}"));
                    assert!(text.bytes().all(|b| b.is_ascii_digit()) && text.len() == 10, "{place}: {key} is {text}");
                    *strings += 1;
                } else if is_time && !value.is_null() {
                    assert!(value.as_i64().is_some_and(|t| (now() - t).abs() < 200_000), "{place}: {key} is {value}");
                    *numbers += 1;
                }
                let inside = in_payload || key == "waba_payload";
                look(value, inside, place, numbers, strings);
            }
        }
        Value::Array(all) => all.iter().for_each(|value| look(value, in_payload, place, numbers, strings)),
        _ => {}
    }
}

#[tokio::test]
async fn r_gen_13_every_list_is_a_page() {
    let inbox = lived_in().await;
    for list in LISTS {
        let answer = inbox.get(&inbox.admin, &format!("{list}?limit=1&offset=0")).await;
        let page = answer.body.clone();
        assert_eq!(super::keys(&answer.text), "count next previous results", "{list}");
        let count = page["count"].as_i64().unwrap_or_else(|| panic!("{list}: {}", page["count"]));
        let shown = usize::try_from(count.min(1)).ok();
        assert_eq!((page["results"].as_array().map(Vec::len), &page["previous"]), (shown, &json!(null)), "{list}");
        let next = format!("{}/api/v1/{list}?limit=1&offset=1", inbox.http.base_url);
        assert_eq!(page["next"], if count > 1 { json!(next) } else { json!(null) }, "{list}");
    }
}
