//! What was erased and what this program cannot read is told as such, and stops no audit.

use serde_json::{Value, json};
use sqlx::Executor;

use super::{RUI, audited, head, history, new_tag, tag_chat};
use crate::harness::inbox::Inbox;

/// Blanks the content of an event, as an erasure does.
async fn erase(inbox: &Inbox, position: i64, payload: &Value) {
    let mut transaction = inbox.pool.begin().await.expect("a transaction");
    transaction.execute("SET LOCAL chatledger.erasure = 'on'").await.expect("set");
    let sql =
        "UPDATE ledger.events SET payload = $3::text::json, erased_at = now() WHERE tenant_id = $1 AND position = $2";
    let erased = sqlx::query(sql).bind(inbox.tenant).bind(position).bind(payload.to_string());
    assert_eq!(erased.execute(&mut *transaction).await.expect("erased").rows_affected(), 1);
    transaction.commit().await.expect("committed");
}

#[tokio::test]
async fn an_erased_event_is_shown_as_erased_without_its_content() {
    let inbox = Inbox::start().await;
    let tag = new_tag(&inbox, "VIP", None).await;
    inbox.customer_writes(RUI, "canary one").await;
    inbox.customer_writes(RUI, "canary two").await;
    tag_chat(&inbox, &inbox.agent, RUI, tag).await;
    let before = history(&inbox, &format!("chats/{RUI}/?kind=MessageReceived")).await;
    let place = |entry: &Value| entry["position"].as_i64().expect("a position");
    // One that still has its shape, one that has none any more.
    let payload: String =
        sqlx::query_scalar("SELECT payload::text FROM ledger.events WHERE tenant_id = $1 AND position = $2")
            .bind(inbox.tenant)
            .bind(place(&before[0]))
            .fetch_one(&inbox.pool)
            .await
            .expect("a payload");
    let mut shaped: Value = serde_json::from_str(&payload).expect("JSON");
    shaped["message"] = json!({});
    erase(&inbox, place(&before[0]), &shaped).await;
    erase(&inbox, place(&before[1]), &json!({})).await;
    let after = history(&inbox, &format!("chats/{RUI}/?kind=MessageReceived")).await;
    for (entry, wanted) in after
        .iter()
        .zip(["the customer wrote: (text) [its content was erased on ", "message received [its content was erased on "])
    {
        let what = entry["what"].as_str().expect("words");
        assert!(what.starts_with(wanted) && entry["erased_at"].is_i64(), "{entry}");
    }
    assert_eq!(after[0]["hash"], before[0]["hash"], "the chain is as it was");
    let path = inbox.data_dir().join("report.html").to_string_lossy().into_owned();
    audited(&inbox, &["chat", RUI, "--format", "html", "--output", &path]).await;
    let page = std::fs::read_to_string(&path).expect("a report");
    assert_eq!(page.matches("class=\"erased\"").count(), 2);
    for format in ["text", "csv", "ndjson"] {
        let told = audited(&inbox, &["chat", RUI, "--format", format]).await;
        assert!(!told.contains("canary") && told.contains("erased"), "{format}: {told}");
    }
    assert!(!page.contains("canary"));
    assert!(audited(&inbox, &["chat", RUI]).await.contains("erased:   the content of 2 event(s)"));
    // What is left says what it can: one message, and the tag.
    let state = inbox.get(&inbox.admin, &format!("audit/chats/{RUI}/state/")).await.expect(200);
    assert_eq!((&state["incoming_messages"], &state["tags"][0]["id"]), (&json!(1), &json!(tag)), "{state}");
}

#[tokio::test]
async fn an_event_of_a_later_release_is_told_by_its_name() {
    let inbox = Inbox::start().await;
    inbox.customer_writes(RUI, "Hello").await;
    let position = head(&inbox).await + 1;
    sqlx::query(
        "WITH e AS (
             INSERT INTO ledger.events (tenant_id, position, aggregate_type, aggregate_id, sequence, event_type,
                 event_version, payload, metadata, occurred_at, recorded_at, payload_hash, hash)
             SELECT tenant_id, $2, 'Chat', $3, max(sequence) + 1, 'ChatPinned', '7', '{\"done_by\": 1}', '{\"actor\": 5}',
                    now(), now(), '\\x00', '\\x00'
               FROM ledger.events WHERE tenant_id = $1 AND aggregate_type = 'Chat' AND aggregate_id = $3
              GROUP BY tenant_id)
         UPDATE ledger.heads SET head_position = $2 WHERE tenant_id = $1",
    )
    .bind(inbox.tenant)
    .bind(position)
    .bind(RUI)
    .execute(&inbox.pool)
    .await
    .expect("inserted");
    let told = history(&inbox, &format!("chats/{RUI}/?after={}", position - 1)).await;
    assert_eq!(told[0]["what"], "chat pinned (version 7: this program cannot read it)", "{told:#?}");
    assert_eq!((&told[0]["who"]["kind"], &told[0]["kind"]), (&json!("unknown"), &json!("ChatPinned")));
    assert!(audited(&inbox, &["chat", RUI]).await.contains("chat pinned"));
    let state = inbox.get(&inbox.admin, &format!("audit/chats/{RUI}/state/")).await.expect(200);
    assert_eq!(state["incoming_messages"], 1);
}
