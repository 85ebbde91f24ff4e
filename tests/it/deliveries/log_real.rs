//! Deliveries that really failed: seen, replayed with the same id and bytes, kept while their webhook is disabled.

use std::time::Duration;

use chatledger_api::bootstrap::Login;
use serde_json::{Value, json};

use super::log::{ANA, RUI};
use crate::harness::{
    inbox::{Inbox, now},
    receiver::{Call, Manner, Receiver},
};

impl Inbox {
    /// One whose schedule of three attempts lasts a tenth of a second.
    pub async fn start_impatient() -> Self {
        Self::start_with(|config| config.retry_after = vec![0.05, 0.05]).await
    }

    /// A user's webhook at a receiver; its path.
    pub async fn told_by(&self, user: &Login, receiver: &Receiver) -> String {
        let made = self.post(user, "webhooks/waba/", json!({"url": receiver.url})).await.expect(201);
        format!("webhooks/waba/{}/", made["id"])
    }

    /// Waits until so many deliveries of a webhook are in a state; they, the newest first.
    pub async fn wait_for_deliveries(&self, hook: &str, state: &str, count: i64) -> Vec<Value> {
        let path = format!("{hook}deliveries/?state={state}");
        for _ in 0..600 {
            let page = self.listed_as(&self.admin, &path).await;
            if page["count"] == count {
                return page["results"].as_array().expect("a list").clone();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let all = self.listed_as(&self.admin, &format!("{hook}deliveries/")).await;
        panic!("not {count} deliveries {state} within 30 s: {all:#}");
    }
}

/// The texts of customers in a call, with the chat of each.
pub fn told(call: &Call) -> Vec<(String, String)> {
    let text = |message: &Value, path: &str| message.pointer(path).and_then(Value::as_str).unwrap_or("").to_owned();
    let messages = call.body["messages"].as_array().cloned().unwrap_or_default();
    messages.iter().map(|message| (text(message, "/from"), text(message, "/text/body"))).collect()
}

#[tokio::test]
async fn r_out_4_what_was_given_up_is_replayed_with_the_same_id_and_bytes() {
    let (inbox, receiver) = (Inbox::start_impatient().await, Receiver::with(Manner::status(500)).await);
    receiver.behave(Manner::Answer(500, "", "out of order".to_owned()));
    let hook = inbox.told_by(&inbox.agent, &receiver).await;
    inbox.customer_writes(RUI, "Is my order ready?").await;
    let dead = inbox.wait_for_deliveries(&hook, "dead", 1).await.remove(0);
    assert_eq!((&dead["attempts"], &dead["last_status"], &dead["wa_ids"]), (&json!(3), &json!(500), &json!([RUI])));
    let place = format!("{hook}deliveries/{}/", dead["id"].as_str().expect("an id"));
    let detail = inbox.get(&inbox.agent, &place).await.expect(200);
    let log = detail["log"].as_array().expect("a log");
    assert_eq!(log.len(), 3);
    assert!(log.iter().all(|one| one["status"] == 500 && one["answer"] == "out of order"), "{detail:#}");
    assert!(log.iter().all(|one| (one["at"].as_i64().unwrap_or(0) - now()).abs() < 60), "{detail:#}");
    assert_eq!(detail["body"]["incoming_messages"][0]["waba_payload"]["text"]["body"], "Is my order ready?");
    receiver.behave(Manner::status(200));
    let order = json!({"ids": [dead["id"]]});
    let replayed = inbox.post(&inbox.agent, &format!("{hook}deliveries/replay/"), order).await.expect(202);
    assert_eq!(replayed["replayed"], 1);
    let delivered = inbox.wait_for_deliveries(&hook, "delivered", 1).await.remove(0);
    assert_eq!((&delivered["attempts"], &delivered["id"]), (&json!(1), &dead["id"]));
    let calls = receiver.calls();
    assert_eq!(calls.len(), 4);
    for call in &calls {
        assert_eq!((call.header("webhook-id"), &call.raw), (dead["id"].as_str().expect("an id"), &calls[0].raw));
    }
    assert_eq!(inbox.get(&inbox.agent, &place).await.expect(200)["log"].as_array().map(Vec::len), Some(4));
    // And once more, though it was delivered.
    let order = json!({"wa_id": RUI, "states": ["delivered"]});
    inbox.post(&inbox.agent, &format!("{hook}deliveries/replay/"), order).await.expect(202);
    assert_eq!(receiver.wait_for(5).await[4].raw, calls[0].raw);
}

#[tokio::test]
async fn r_out_4_a_webhook_that_only_fails_for_days_is_disabled_and_gets_all_when_enabled() {
    let (inbox, receiver) = (Inbox::start_impatient().await, Receiver::with(Manner::status(500)).await);
    let hook = inbox.told_by(&inbox.agent, &receiver).await;
    inbox.customer_writes(RUI, "0").await;
    inbox.wait_for_deliveries(&hook, "dead", 1).await;
    let status = inbox.get(&inbox.agent, &format!("{hook}status/")).await.expect(200);
    assert_eq!((&status["state"], &status["dead"]), (&json!("failing"), &json!(1)));
    // Five days later.
    let later = "UPDATE outbound.failing SET since = since - interval '121 hours'";
    sqlx::query(later).execute(&inbox.pool).await.expect("later");
    for _ in 0..600 {
        if inbox.get(&inbox.agent, &format!("{hook}status/")).await.expect(200)["state"] == "disabled" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    receiver.behave(Manner::status(200));
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = receiver.count();
    for n in 1..4 {
        inbox.customer_writes(RUI, &n.to_string()).await;
    }
    inbox.customer_writes(ANA, "other").await;
    inbox.wait_for_deliveries(&hook, "pending", 4).await;
    assert_eq!(receiver.count(), before, "a disabled webhook is not called");
    let answer = inbox.post(&inbox.agent, &format!("{hook}enable/"), json!({"replay": true})).await.expect(200);
    assert_eq!(answer["state"], "enabled");
    inbox.wait_for_deliveries(&hook, "delivered", 5).await;
    let calls = receiver.calls();
    let of_rui = calls[before..].iter().flat_map(told).filter(|(from, _)| from == RUI).map(|(_, text)| text);
    assert_eq!(of_rui.collect::<Vec<_>>(), ["0", "1", "2", "3"], "in order, with what was given up");
    assert_eq!(inbox.get(&inbox.agent, &format!("{hook}status/")).await.expect(200)["failing_since"], Value::Null);
}
