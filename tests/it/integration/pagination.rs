//! errors-and-limits §4: parts of lists.

use chatledger_domain::Role;
use serde_json::{Value, json};

use super::{ANA, LISTS, RUI, bodies, column};
use crate::harness::inbox::{Inbox, contact, now, text_message};

/// An inbox in which every list has some rows, many of them in one second.
async fn filled() -> Inbox {
    let inbox = Inbox::start().await;
    let at = now() - 60;
    let wa_ids: Vec<String> = (0..7).map(|n| format!("3519120000{n:02}")).collect();
    let mut messages = Vec::new();
    for (n, wa_id) in wa_ids.iter().enumerate() {
        messages.push(text_message(wa_id, &format!("wamid.a{n}"), at, "a"));
        messages.push(text_message(wa_id, &format!("wamid.b{n}"), at - i64::try_from(n).unwrap() % 2, "b"));
    }
    let contacts: Vec<Value> = wa_ids.iter().map(|wa_id| contact(wa_id, "Same Name")).collect();
    inbox.bring(json!({"contacts": contacts, "messages": messages})).await;
    inbox.settle().await;
    for (n, wa_id) in wa_ids.iter().enumerate() {
        let tag = inbox.tag(&format!("tag {n}")).await;
        inbox.tag_message(tag, &format!("wamid.a{n}")).await;
        inbox.give(wa_id, &inbox.agent).await;
    }
    inbox.add_user("zoe", Role::User).await;
    for n in 0..3 {
        inbox.post(&inbox.agent, "saved_responses/", json!({"text": format!("text {n}")})).await.expect(201);
        let recipients = json!([{"recipient": wa_ids[0]}]);
        let body = json!({"recipients": recipients, "payload": {"text": {"body": "To all"}}});
        let task = inbox.post(&inbox.agent, "bulk_messages/", body).await.expect(201);
        inbox.done(&inbox.agent, &task).await;
    }
    inbox
}

#[tokio::test]
async fn r_pag_6_pages_put_together_are_the_list() {
    let inbox = filled().await;
    for list in LISTS {
        let whole = inbox.page(&inbox.agent, list).await;
        let rows = whole["results"].as_array().unwrap();
        assert_eq!(whole["count"], rows.len(), "{list}");
        assert!(rows.len() >= 3, "{list}");
        for limit in [1, 2, 3, 100] {
            // Forwards along `next` …
            let (mut together, mut last) = (Vec::new(), String::new());
            let mut next = json!(inbox.http.url(&format!("{list}?limit={limit}")));
            while let Some(url) = next.as_str() {
                last = url.strip_prefix(&inbox.http.base_url).expect("a link to us").to_owned();
                let page = inbox.page(&inbox.agent, &last).await;
                assert_eq!(page["count"], whole["count"], "R-PAG-2 {last}");
                together.extend(page["results"].as_array().unwrap().clone());
                next = page["next"].clone();
            }
            assert_eq!(together, *rows, "{list} by {limit}");
            // … and back along `previous`.
            let mut pages = 1;
            let mut previous = inbox.page(&inbox.agent, &last).await["previous"].clone();
            while let Some(url) = previous.as_str() {
                let page = inbox.page(&inbox.agent, url.strip_prefix(&inbox.http.base_url).unwrap()).await;
                previous = page["previous"].clone();
                pages += 1;
            }
            assert_eq!(pages, rows.len().div_ceil(limit), "{list} by {limit}");
        }
    }
}

#[tokio::test]
async fn r_pag_1_and_2_what_makes_no_sense_is_corrected() {
    let inbox = Inbox::start().await;
    let at = now() - 2_000;
    let messages: Vec<Value> =
        (0..1_100).map(|n| text_message(RUI, &format!("wamid.{n}"), at + n, &n.to_string())).collect();
    inbox.bring(json!({"messages": messages})).await;
    inbox.settle().await;
    let rows = async |query: &str| {
        let page = inbox.page(&inbox.agent, &format!("messages/?{query}")).await;
        assert_eq!(page["count"], 1_100, "{query}");
        bodies(&page).len()
    };
    for query in ["", "limit=0", "limit=-5", "limit=x", "limit=", "limit=1.5", "offset=-3", "offset=x", "limit=%00"] {
        assert_eq!(rows(query).await, 100, "{query}");
    }
    for query in ["limit=1000", "limit=1001", "limit=99999999999999999999"] {
        assert_eq!(rows(query).await, 1_000, "{query}");
    }
    assert_eq!(rows("limit=7").await, 7);
    assert_eq!(rows("offset=1050").await, 50);
    for query in ["offset=1100", "offset=5000", "offset=99999999999999999999", "limit=1000&offset=9223372036854775807"]
    {
        assert_eq!(rows(query).await, 0, "{query}");
    }
}

#[tokio::test]
async fn r_pag_3_and_4_links_keep_the_rest_and_never_mark() {
    let inbox = Inbox::start().await;
    for (chat, at) in [(RUI, 30), (RUI, 20), (RUI, 10), (ANA, 5)] {
        inbox.customer_wrote(chat, "tea & milk", now() - at).await;
    }
    let links = async |path: &str| {
        let page = inbox.page(&inbox.agent, path).await;
        (page["next"].clone(), page["previous"].clone())
    };
    let link = |path: &str| json!(inbox.http.url(path));
    let filter = format!("search=tea+%26&wa_id={RUI}");
    let first = links(&format!("messages/?{filter}&limit=1")).await;
    let page = |offset: &str| link(&format!("messages/?limit=1{offset}&search=tea+%26&wa_id={RUI}"));
    assert_eq!(first, (page("&offset=1"), Value::Null));
    assert_eq!(links(&format!("messages/?{filter}&limit=1&offset=1")).await, (page("&offset=2"), page("")));
    assert_eq!(links(&format!("messages/?{filter}&limit=1&offset=2")).await, (Value::Null, page("&offset=1")));
    assert_eq!(links("messages/").await, (Value::Null, Value::Null));
    // The slash is always there, and an offset within the first page leads back to its start.
    assert_eq!(links("messages?limit=3").await.0, link("messages/?limit=3&offset=3"));
    assert_eq!(links("messages/?limit=3&offset=1").await.1, link("messages/?limit=3"));
    assert_eq!(links(&format!("messages/{RUI}?limit=2")).await.0, link(&format!("messages/{RUI}/?limit=2&offset=2")));
    assert_eq!(links("messages/?limit=2&mark_as_received=1").await.0, link("messages/?limit=2&offset=2"));
    assert_eq!(links("messages/?limit=2&offset=2&mark_as_received=1").await.1, link("messages/?limit=2"));
    // Values of filters stay as they were, whatever is in them.
    let (next, _) = links("messages/?limit=1&search=milk&x=%C3%A9%20%2B&x=2").await;
    assert_eq!(next, link("messages/?limit=1&offset=1&search=milk&x=%C3%A9+%2B&x=2"));
    assert_eq!(column(&inbox.page(&inbox.agent, "messages/?limit=2").await, "/received"), [true, true]);
}
