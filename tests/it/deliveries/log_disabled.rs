//! Webhooks that only fail for days: disabled, told about, and enabled again with or without what was kept.

use chatledger_domain::{TenantId, WebhookId};
use serde_json::{Value, json};

use super::log::Made;
use crate::harness::inbox::{Inbox, now};

impl Inbox {
    /// Disables a webhook as the dispatcher does after five days of nothing but failures.
    pub async fn disable_webhook(&self, webhook: i64, since: i64) {
        let tools = self.tools().await;
        tools.application.disable_webhook(TenantId(self.tenant), WebhookId(webhook), since).await.expect("disabled");
        // Again, as by another server: nothing happens.
        tools.application.disable_webhook(TenantId(self.tenant), WebhookId(webhook), since).await.expect("disabled");
        tools.close().await;
        self.settle().await;
        let known = self.count("SELECT count(*) FROM outbound.failing").await;
        assert_eq!(known, 0, "the ledger knows; nobody has to be asked again");
    }

    async fn webhook_status(&self, hook: &str) -> Value {
        self.get(&self.agent, &format!("{hook}status/")).await.expect(200)
    }

    /// The states of a webhook's deliveries, oldest first.
    async fn delivery_states(&self, hook: &str) -> Vec<String> {
        let states = self.listed_deliveries(&self.agent, &format!("{hook}deliveries/")).await;
        states.into_iter().rev().map(|(_, state)| state).collect()
    }
}

/// A webhook that was disabled with these deliveries; its path and its id.
async fn disabled(inbox: &Inbox, states: &[&str]) -> (String, i64) {
    let (hook, id) = inbox.hook_of(&inbox.agent).await;
    for (position, state) in (1_000..).zip(states) {
        inbox.put_delivery(id, position, Made { state, ..Made::default() }).await;
    }
    // Given up before it began to fail: nothing that is due to the failures.
    let old = inbox.put_delivery(id, 900, Made::default()).await;
    let sql = format!("UPDATE outbound.deliveries SET done_at = to_timestamp(1000) WHERE id = '{old}'");
    sqlx::query(&sql).execute(&inbox.pool).await.expect("old");
    inbox.disable_webhook(id, now() - 5 * 86_400).await;
    (hook, id)
}

#[tokio::test]
async fn r_out_4_a_disabled_webhook_is_told_about() {
    let inbox = Inbox::start().await;
    let (hook, id) = inbox.hook_of(&inbox.agent).await;
    let fine = json!({"state": "enabled", "failing_since": null, "disabled_at": null, "reason": null, "pending": 0,
                      "dead": 0, "oldest_pending_at": null});
    assert_eq!(inbox.webhook_status(&hook).await, fine);
    inbox.put_delivery(id, 1_000, Made { state: "pending", made_at: 1_767_693_600, ..Made::default() }).await;
    inbox.put_delivery(id, 1_001, Made { state: "pending", ..Made::default() }).await;
    inbox.put_delivery(id, 1_002, Made::default()).await;
    let sql = format!("INSERT INTO outbound.failing SELECT '{}', {id}, to_timestamp(1767693600)", inbox.tenant);
    sqlx::query(&sql).execute(&inbox.pool).await.expect("failing");
    let failing = json!({"state": "failing", "failing_since": 1_767_693_600, "disabled_at": null, "reason": null,
                         "pending": 2, "dead": 1, "oldest_pending_at": 1_767_693_600});
    assert_eq!(inbox.webhook_status(&hook).await, failing);
    let since = now() - 5 * 86_400;
    inbox.disable_webhook(id, since).await;
    let told = inbox.get(&inbox.admin, &format!("{hook}status/")).await.expect(200);
    assert_eq!(
        (&told["state"], &told["reason"], &told["failing_since"]),
        (&json!("disabled"), &json!("only_failures"), &json!(since))
    );
    assert!((told["disabled_at"].as_i64().expect("a time") - now()).abs() < 60, "{told}");
    let sql = "SELECT count(*) FROM ledger.events WHERE event_type = 'WebhookDisabled'
               AND metadata -> 'actor' ->> 'kind' = 'system'";
    assert_eq!(inbox.count(sql).await, 1, "once, however many servers saw it");
    let metrics = inbox.http.raw.get(format!("{}/metrics", inbox.http.base_url)).send().await.expect("an answer");
    assert!(metrics.text().await.expect("text").contains("chatledger_webhooks_disabled_total"));
    // Deliveries go on being kept: nothing of it was touched.
    assert_eq!((&told["pending"], &told["dead"]), (&json!(2), &json!(1)));
    // Another server says the same.
    assert_eq!(inbox.beside().await.webhook_status(&hook).await["state"], "disabled");
}

#[tokio::test]
async fn r_out_4_enabling_offers_the_replay() {
    let inbox = Inbox::start().await;
    let (hook, id) = disabled(&inbox, &["dead", "delivered", "pending", "pending"]).await;
    let told = inbox.post(&inbox.agent, &format!("{hook}enable/"), json!({})).await.expect(400);
    assert_eq!(told["replay"], json!(["This field is required."]));
    let answer = inbox.post(&inbox.agent, &format!("{hook}enable/"), json!({"replay": true})).await.expect(200);
    assert_eq!((&answer["state"], &answer["pending"], &answer["dead"]), (&json!("enabled"), &json!(3), &json!(1)));
    assert_eq!(inbox.delivery_states(&hook).await, ["dead", "pending", "delivered", "pending", "pending"]);
    let due =
        "SELECT count(*) FROM outbound.deliveries WHERE state = 'pending' AND not_before <= now() AND attempts = 0";
    assert_eq!(inbox.count(due).await, 3);
    assert_eq!(inbox.count("SELECT count(*) FROM outbound.failing").await, 0, "its five days begin anew");
    // Enabled again is as enabled once, whatever is said of the replay.
    inbox.post(&inbox.agent, &format!("{hook}enable/"), json!({"replay": false})).await.expect(200);
    assert_eq!(inbox.delivery_states(&hook).await, ["dead", "pending", "delivered", "pending", "pending"]);
    let sql = format!(
        "SELECT count(*) FROM ledger.events WHERE event_type = 'WebhookEnabled'
         AND (payload ->> 'done_by')::bigint = {} AND payload ->> 'replay' = 'true'",
        inbox.agent.id
    );
    assert_eq!(inbox.count(&sql).await, 1);
    inbox.disable_webhook(id, now() - 6 * 86_400).await;
    assert_eq!(inbox.webhook_status(&hook).await["state"], "disabled", "a second time as well");
}

#[tokio::test]
async fn r_out_4_enabling_without_a_replay_gives_up_what_was_kept() {
    let inbox = Inbox::start().await;
    let (hook, _) = disabled(&inbox, &["dead", "delivered", "pending", "pending"]).await;
    let answer = inbox.post(&inbox.admin, &format!("{hook}enable/"), json!({"replay": false})).await.expect(200);
    assert_eq!((&answer["state"], &answer["pending"], &answer["dead"]), (&json!("enabled"), &json!(0), &json!(4)));
    assert_eq!(inbox.delivery_states(&hook).await, ["dead", "dead", "delivered", "dead", "dead"]);
    // It can be replayed later.
    let since = json!({"since_time": now() - 3_600});
    let replayed = inbox.post(&inbox.agent, &format!("{hook}deliveries/replay/"), since).await.expect(202);
    assert_eq!(replayed["replayed"], 4);
}

#[tokio::test]
async fn r_out_4_another_address_or_header_is_tried_and_gets_what_was_kept() {
    let inbox = Inbox::start().await;
    for change in
        [json!({"url": "http://127.0.0.1:18080/corrected"}), json!({"headers": {"Authorization": "Bearer new"}})]
    {
        let (hook, id) = disabled(&inbox, &["dead", "pending"]).await;
        // What it is told of says nothing about whether it can be reached.
        inbox.patch(&inbox.agent, &hook, json!({"on_assigned": true})).await.expect(200);
        inbox.patch(&inbox.agent, &hook, json!({"url": "http://127.0.0.1:18080/hook"})).await.expect(200);
        assert_eq!(inbox.webhook_status(&hook).await["state"], "disabled");
        inbox.patch(&inbox.agent, &hook, change).await.expect(200);
        assert_eq!(inbox.webhook_status(&hook).await["state"], "enabled");
        assert_eq!(inbox.delivery_states(&hook).await, ["dead", "pending", "pending"]);
        // One that is failing is tried at once as well, and its five days begin anew.
        let sql = format!(
            "UPDATE outbound.deliveries SET not_before = now() + interval '1 day', attempts = 11
              WHERE receiver = {id} AND state = 'pending'"
        );
        sqlx::query(&sql).execute(&inbox.pool).await.expect("updated");
        let sql = format!("INSERT INTO outbound.failing SELECT '{}', {id}, to_timestamp(1767693600)", inbox.tenant);
        sqlx::query(&sql).execute(&inbox.pool).await.expect("failing");
        inbox.patch(&inbox.agent, &hook, json!({"url": "http://127.0.0.1:18080/other"})).await.expect(200);
        assert_eq!(inbox.webhook_status(&hook).await["state"], "enabled");
        let due = format!(
            "SELECT count(*) FROM outbound.deliveries WHERE receiver = {id} AND state = 'pending'
                           AND not_before <= now() AND attempts = 11"
        );
        assert_eq!(inbox.count(&due).await, 2);
        assert_eq!(inbox.delete(&inbox.agent, &hook).await.status, 204);
    }
}
