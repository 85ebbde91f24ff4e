//! What an assignment brings its new user (R-IWH-7, R-IWH-8).

use chatledger_application::rule_engine::Wanted;
use chatledger_domain::{Position, TenantId, rule_engine::Target};
use serde_json::json;

use super::{ASSIGNED, NOTHING, RUI, assign, column, hook, keys};
use crate::harness::inbox::{Inbox, now};

#[tokio::test]
async fn r_asg_11_every_change_is_told_to_every_webhook_and_brings_its_new_user_the_messages() {
    let inbox = Inbox::start().await;
    inbox.customer_writes(RUI, "Hello").await;
    let groups = inbox.get(&inbox.admin, "groups/").await.expect(200);
    let group = groups["results"][0]["id"].clone();
    let (deaf, own) = (hook(&inbox, &inbox.admin, NOTHING).await, hook(&inbox, &inbox.agent, ASSIGNED).await);
    let changes = [
        json!({"assigned_to_user": inbox.agent.id}),
        json!({"assigned_group": group}),
        json!({"assigned_to_user": null, "assigned_group": null}),
    ];
    for change in changes {
        assign(&inbox, RUI, change).await;
    }
    let listed = inbox.get(&inbox.admin, &format!("chat_assignment_events/?wa_id={RUI}")).await.expect(200);
    let mut listed: Vec<_> = listed["results"].as_array().unwrap().clone();
    listed.reverse();
    for receiver in [&deaf, &own] {
        let told = receiver.wait_for_bodies("chat_assignment", 3).await;
        assert_eq!(column(&told, "/chat_assignment"), listed);
    }
    assert_eq!(own.bodies_with("assigned_messages").len(), 1);
    assert_eq!(deaf.bodies_with("assigned_messages").len(), 0);
}

#[tokio::test]
async fn r_iwh_7_an_assignment_brings_what_was_not_received_oldest_first() {
    let inbox = Inbox::start().await;
    let at = now() - 1_000;
    let mut sent = Vec::new();
    for n in 0..4 {
        sent.push(json!(inbox.customer_wrote(RUI, &n.to_string(), at + n).await));
    }
    inbox.post(&inbox.agent, "mark_as_received/", json!({"customer_wa_id": RUI, "timestamp": at})).await.expect(201);
    let receiver = hook(&inbox, &inbox.agent, ASSIGNED).await;
    assign(&inbox, RUI, json!({"assigned_to_user": inbox.agent.id})).await;
    let calls = receiver.wait_for(1).await;
    assert_eq!(keys(&calls[0].body), ["assigned_messages", "chat_assignment"]);
    let told = calls[0].body["assigned_messages"].as_array().unwrap();
    assert_eq!(column(told, "/waba_payload/id"), sent[1..]);
    assert!(told.iter().all(|message| message["received"] == false));
}

#[tokio::test]
async fn r_iwh_7_else_the_last_message() {
    let inbox = Inbox::start().await;
    inbox.customer_writes(RUI, "One").await;
    let last = inbox.customer_writes(RUI, "Two").await;
    inbox
        .post(&inbox.agent, "mark_as_received/", json!({"customer_wa_id": RUI, "timestamp": now() + 5}))
        .await
        .expect(201);
    let receiver = hook(&inbox, &inbox.agent, ASSIGNED).await;
    assign(&inbox, RUI, json!({"assigned_to_user": inbox.agent.id})).await;
    let calls = receiver.wait_for(1).await;
    let told = calls[0].body["assigned_messages"].as_array().unwrap();
    assert_eq!(column(told, "/waba_payload/id"), [json!(last)]);
    assert_eq!(told[0]["received"], true);
}

#[tokio::test]
async fn r_iwh_7_the_message_that_the_rule_engine_named_alone() {
    let inbox = Inbox::start().await;
    let named = inbox.customer_writes(RUI, "One").await;
    inbox.customer_writes(RUI, "Two").await;
    let listed = inbox.get(&inbox.admin, &format!("messages/{RUI}/")).await.expect(200);
    let message = &listed["results"][1];
    assert_eq!(message["waba_payload"]["id"], named);
    let receiver = hook(&inbox, &inbox.agent, ASSIGNED).await;
    let based_on = message["id"].as_str().unwrap().parse().ok();
    let target = Target::User(inbox.agent.id);
    let wanted = Wanted { wa_id: RUI.to_owned(), based_on, target, only_fresh: false };
    let tools = inbox.tools().await;
    tools.application.assign_by_rule(TenantId(inbox.tenant), Position(1), &wanted).await.expect("assigned");
    tools.close().await;
    let calls = receiver.wait_for(1).await;
    assert_eq!(column(calls[0].body["assigned_messages"].as_array().unwrap(), "/waba_payload/id"), [json!(named)]);
    assert_eq!(calls[0].body["chat_assignment"]["done_by"], json!(null));
}

#[tokio::test]
async fn r_iwh_8_a_group_brings_no_messages() {
    let inbox = Inbox::start().await;
    inbox.customer_writes(RUI, "One").await;
    let groups = inbox.get(&inbox.admin, "groups/").await.expect(200);
    let receiver = hook(&inbox, &inbox.agent, ASSIGNED).await;
    assign(&inbox, RUI, json!({"assigned_group": groups["results"][0]["id"]})).await;
    let calls = receiver.wait_for(1).await;
    assert_eq!(keys(&calls[0].body), ["chat_assignment"]);
}
