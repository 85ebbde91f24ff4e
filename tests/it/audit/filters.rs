//! Parts of a history: by time, by position, by kind, page by page.

use std::time::Duration;

use chrono::{SecondsFormat, Utc};
use serde_json::Value;

use super::{ANA, RUI, audited, head, history, kinds, new_tag, tag_chat};
use crate::harness::inbox::Inbox;

fn written(time: chrono::DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

#[tokio::test]
async fn a_history_is_cut_by_time_by_position_and_by_kind() {
    let inbox = Inbox::start().await;
    let mut between = vec![(head(&inbox).await, Utc::now())];
    for n in 0..5 {
        tokio::time::sleep(Duration::from_millis(3)).await;
        inbox.customer_writes(RUI, &format!("Message {n}")).await;
        inbox.customer_writes(ANA, "Another").await;
        between.push((head(&inbox).await, Utc::now()));
    }
    let messages = async |query: &str| {
        let told = history(&inbox, &format!("chats/{RUI}/?kind=MessageReceived{query}")).await;
        told.iter().map(|entry| entry["what"].as_str().expect("words").to_owned()).collect::<Vec<_>>()
    };
    let wanted = |from: usize, until: usize| -> Vec<String> {
        (from..until).map(|n| format!("the customer wrote: “Message {n}”")).collect()
    };
    assert_eq!(messages("").await, wanted(0, 5));
    for (from, (position, time)) in between.iter().enumerate() {
        assert_eq!(messages(&format!("&at={position}")).await, wanted(0, from), "{position}");
        assert_eq!(messages(&format!("&at={}", written(*time))).await, wanted(0, from), "{time}");
        assert_eq!(messages(&format!("&until={}", written(*time))).await, wanted(0, from), "{time}");
        assert_eq!(messages(&format!("&from={}", written(*time))).await, wanted(from, 5), "{time}");
        assert_eq!(messages(&format!("&after={position}")).await, wanted(from, 5), "{position}");
    }
    let (since, until) = (written(between[1].1), written(between[3].1));
    assert_eq!(messages(&format!("&from={since}&until={until}")).await, wanted(1, 3));
    let from = ["chat", RUI, "--kind", "MessageReceived", "--from", &since, "--until", &until, "--format", "ndjson"];
    let lines = audited(&inbox, &from).await;
    assert_eq!(lines.lines().count(), 2, "{lines}");
    // The moment itself counts for `at` and `from`, not for `until`.
    let recorded: chrono::DateTime<Utc> = sqlx::query_scalar(
        "SELECT recorded_at FROM ledger.events WHERE tenant_id = $1 AND event_type = 'MessageReceived'
          AND aggregate_id = $2 ORDER BY position OFFSET 2 LIMIT 1",
    )
    .bind(inbox.tenant)
    .bind(RUI)
    .fetch_one(&inbox.pool)
    .await
    .expect("a time");
    let exact = written(recorded);
    assert_eq!(messages(&format!("&at={exact}")).await, wanted(0, 3));
    assert_eq!(messages(&format!("&from={exact}")).await, wanted(2, 5));
    assert_eq!(messages(&format!("&until={exact}")).await, wanted(0, 2));
    // POSIX seconds as everywhere in this API.
    assert_eq!(messages("&from=0&until=4102444800").await, wanted(0, 5));
    assert_eq!(messages("&until=1").await, Vec::<String>::new());
    assert_eq!(messages("&at=@1").await, Vec::<String>::new());
}

#[tokio::test]
async fn pages_follow_each_other_without_holes_and_stay_at_their_moment() {
    let inbox = Inbox::start().await;
    let vip = new_tag(&inbox, "VIP", None).await;
    for n in 0..7 {
        inbox.customer_writes(RUI, &format!("Message {n}")).await;
    }
    tag_chat(&inbox, &inbox.agent, RUI, vip).await;
    let whole = inbox.get(&inbox.admin, &format!("audit/chats/{RUI}/")).await.expect(200);
    let through = whole["through"].as_i64().expect("a position");
    assert_eq!((&whole["next"], whole["seen"].as_i64()), (&Value::Null, Some(through)), "{whole}");
    let first = inbox.get(&inbox.admin, &format!("audit/chats/{RUI}/?limit=2&kind=MessageReceived,ChatTagged")).await;
    let first = first.expect(200);
    assert_eq!(first["results"].as_array().map(Vec::len), Some(2));
    // What comes meanwhile is of a later moment.
    inbox.customer_writes(RUI, "Too late").await;
    let mut told = first["results"].as_array().expect("a list").clone();
    let mut next = first["next"].as_str().map(str::to_owned);
    while let Some(link) = next {
        let path = link.split_once("/api/v1/").expect("a path").1;
        let page = inbox.get(&inbox.admin, path).await.expect(200);
        assert_eq!(page["through"], through);
        told.extend(page["results"].as_array().expect("a list").clone());
        next = page["next"].as_str().map(str::to_owned);
    }
    let wanted: Vec<Value> = whole["results"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|entry| ["MessageReceived", "ChatTagged"].contains(&entry["kind"].as_str().unwrap_or_default()))
        .cloned()
        .collect();
    assert_eq!(told, wanted);
    assert_eq!(kinds(&told).len(), 8);
    let parts = history(&inbox, &format!("tags/{vip}/?limit=1")).await;
    assert_eq!(parts, history(&inbox, &format!("tags/{vip}/")).await);
    assert_eq!(kinds(&parts), ["TagCreated", "ChatTagged"]);
    let since = history(&inbox, &format!("chats/{RUI}/?after={through}")).await;
    let all = history(&inbox, &format!("chats/{RUI}/")).await;
    assert_eq!([whole["results"].as_array().expect("a list").clone(), since].concat(), all);
}

#[tokio::test]
async fn no_value_in_any_path_or_query_is_a_fault() {
    let inbox = Inbox::start().await;
    inbox.customer_writes(RUI, "Hello").await;
    let tag = new_tag(&inbox, "VIP", None).await;
    let nasty = [
        "",
        "%00",
        "%FF",
        "-1",
        "0",
        "99999999999999999999",
        "9223372036854775807",
        "-9223372036854775808",
        "1.5",
        "%F0%9F%92%A9",
        "a%0d%0ab",
        "'%20OR%201=1--",
        "%25",
        "null",
        "@",
        "@9223372036854775807",
        "@-9223372036854775808",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "-0001-01-01T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "%2B262142-12-31T23:59:59Z",
    ];
    let paths = [
        format!("audit/chats/{RUI}/"),
        format!("audit/chats/{RUI}/state/"),
        "audit/users/agent/".to_owned(),
        format!("audit/tags/{tag}/"),
    ];
    for path in &paths {
        for value in nasty {
            for name in ["at", "from", "until", "kind", "after", "limit", "format"] {
                let answer = inbox.get(&inbox.admin, &format!("{path}?{name}={value}")).await;
                assert!([200, 400, 404].contains(&answer.status), "{path} {name}={value}: {}", answer.text);
            }
        }
    }
    for value in nasty.iter().filter(|value| !value.is_empty()) {
        for noun in ["chats", "users", "tags"] {
            let answer = inbox.get(&inbox.admin, &format!("audit/{noun}/{value}/")).await;
            assert_eq!(answer.status, 404, "{noun} {value}: {}", answer.text);
        }
    }
}
