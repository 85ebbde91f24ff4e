//! The rule engine at work, through the real doors, with real programs as custom engines (contract §3).

mod custom;
mod default;
mod flow;
mod round_robin;
mod sample;
mod servers;
mod tries;

use std::time::Duration;

use chatledger_domain::Role;
use serde_json::{Value, json};

use crate::harness::{
    inbox::Inbox,
    receiver::{Call, Manner, Receiver},
};

const RUI: &str = "351912000111";
const ANA: &str = "351912000222";
const EVA: &str = "351912000333";

/// The admin adds a rule.
async fn rule(inbox: &Inbox, rule: Value) -> i64 {
    let made = inbox.post(&inbox.admin, "settings/rule_engine/rules/", rule).await.expect(201);
    made["id"].as_i64().expect("a number")
}

/// A program that decides instead of the rules, and what it answers.
async fn engine(inbox: &Inbox, answer: Value) -> Receiver {
    let engine = Receiver::with(says(answer)).await;
    let custom = json!({"mode": "custom", "url": engine.url, "headers": {"Authorization": "Bearer x"}});
    inbox.put(&inbox.admin, "settings/rule_engine/", custom).await.expect(200);
    engine
}

/// 200 with JSON.
fn says(answer: Value) -> Manner {
    Manner::Answer(200, "content-type: application/json\r\n", answer.to_string())
}

/// An answer with one assignment, of the incoming message of the call.
fn for_message(call: &Call, assignment: Value) -> Manner {
    let mut assignment = assignment;
    assignment["message_id"] = call.body["incoming_messages"][0]["id"].clone();
    says(json!({"assignment": [assignment]}))
}

async fn tag(inbox: &Inbox, name: &str) -> i64 {
    let tag = inbox.post(&inbox.admin, "tags/", json!({ "name": name })).await.expect(201);
    tag["id"].as_i64().expect("a number")
}

async fn tag_chat(inbox: &Inbox, tag: i64, chat: &str) -> i64 {
    let made = inbox.post(&inbox.admin, "chat_tagging/", json!({"tag": tag, "chat": chat})).await.expect(201);
    made["id"].as_i64().expect("a number")
}

async fn tag_message(inbox: &Inbox, tag: i64, message: &str) -> i64 {
    let body = json!({"tag": tag, "message": message});
    let made = inbox.post(&inbox.admin, "message_tagging/", body).await.expect(201);
    made["id"].as_i64().expect("a number")
}

/// A group with these users.
async fn group(inbox: &Inbox, name: &str) -> i64 {
    let groups = inbox.get(&inbox.admin, "groups/").await.expect(200);
    let found = groups["results"].as_array().expect("a list").iter().find(|group| group["name"] == name).cloned();
    found.expect("the group is there")["id"].as_i64().expect("a number")
}

/// Members of the group `Regular user` beside the agent; with the agent, by id.
async fn members(inbox: &Inbox, names: &[&str]) -> Vec<i64> {
    let mut ids = vec![inbox.agent.id.0];
    for name in names {
        ids.push(inbox.add_user(name, Role::User).await.id.0);
    }
    ids
}

async fn give(inbox: &Inbox, chat: &str, change: Value) {
    inbox.patch(&inbox.admin, &format!("chat_assignment/{chat}/"), change).await.expect(200);
}

/// Waits until the rule engine has decided on everything recorded so far, what it caused included.
async fn decided(inbox: &Inbox) {
    for _ in 0..8_000 {
        let behind = "SELECT count(*) FROM ledger.heads h LEFT JOIN outbound.cursors c
             ON c.tenant_id = h.tenant_id AND c.reactor = 'rules'
             WHERE h.head_position > coalesce(c.position, 0)";
        if inbox.count(behind).await == 0 {
            inbox.settle().await;
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the rule engine did not catch up within 40 s");
}

/// Who has a chat once everything is decided: user and group.
async fn holder(inbox: &Inbox, chat: &str) -> (Option<i64>, Option<i64>) {
    decided(inbox).await;
    let now = inbox.get(&inbox.admin, &format!("chat_assignment/{chat}/")).await.expect(200);
    (now["assigned_to_user"].as_i64(), now["assigned_group"].as_i64())
}

/// What was recorded of a chat's assignments.
async fn assignments(inbox: &Inbox, chat: &str) -> Vec<Value> {
    decided(inbox).await;
    let rows: Vec<String> = sqlx::query_scalar(
        "SELECT payload::text FROM ledger.events
         WHERE tenant_id = $1 AND aggregate_id = $2 AND event_type = 'ChatAssigned' ORDER BY position",
    )
    .bind(inbox.tenant)
    .bind(chat)
    .fetch_all(&inbox.pool)
    .await
    .expect("the database answers");
    rows.iter().map(|row| serde_json::from_str(row).expect("JSON")).collect()
}

/// Our id of a customer's message.
async fn our_id(inbox: &Inbox, waba_id: &str) -> String {
    let id = "SELECT payload->>'message_id' FROM ledger.events
         WHERE event_type = 'MessageReceived' AND payload->>'waba_id' = $1";
    sqlx::query_scalar(id).bind(waba_id).fetch_one(&inbox.pool).await.expect("the message is recorded")
}

/// Answers the first calls so, and every other with an assignment.
fn first(engine: &Receiver, manners: Vec<Manner>, user: i64) {
    let told = std::sync::Mutex::new(manners);
    engine.answer(move |call| {
        let mut left = told.lock().expect("no panic");
        if left.is_empty() { for_message(call, json!({ "user": user })) } else { left.remove(0) }
    });
}
