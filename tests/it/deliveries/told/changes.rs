//! What every webhook is told, whatever its flags.

use chatledger_domain::TenantId;
use serde_json::{Value, json};

use super::{INCOMING, NOTHING, RUI, assign, column, first, hook, keys};
use crate::harness::inbox::Inbox;

async fn tag(inbox: &Inbox, name: &str) -> Value {
    inbox.post(&inbox.admin, "tags/", json!({"name": name, "web_inbox_color": "#d32f2f"})).await.expect(201)["id"]
        .clone()
}

#[tokio::test]
async fn r_iwh_5_every_webhook_is_told_of_changes_as_the_histories_show_them() {
    let inbox = Inbox::start().await;
    let message = inbox.customer_writes(RUI, "Hello").await;
    let receiver = hook(&inbox, &inbox.bot, NOTHING).await;
    assign(&inbox, RUI, json!({"assigned_to_user": inbox.agent.id})).await;
    let told = receiver.wait_for_bodies("chat_assignment", 1).await;
    assert_eq!(told, [json!({"chat_assignment": first(&inbox, &inbox.admin, "chat_assignment_events/").await})]);
    let vip = tag(&inbox, "vip").await;
    let body = json!({"tag": vip, "chat": RUI, "extra": {"by": "test"}});
    let tagging = inbox.post(&inbox.admin, "chat_tagging/", body).await.expect(201);
    let told = receiver.wait_for_bodies("chat_tagging", 1).await;
    assert_eq!(told, [json!({"chat_tagging": first(&inbox, &inbox.admin, "chat_tagging_events/").await})]);
    inbox.delete(&inbox.admin, &format!("chat_tagging/{}/", tagging["id"])).await.expect(204);
    let told = receiver.wait_for_bodies("chat_tagging", 2).await;
    assert_eq!(told[1], json!({"chat_tagging": first(&inbox, &inbox.admin, "chat_tagging_events/").await}));
    assert_eq!(told[1]["chat_tagging"]["action"], "removed");
    inbox.post(&inbox.admin, "message_tagging/", json!({"tag": vip, "message": message})).await.expect(201);
    let told = receiver.wait_for_bodies("message_tagging", 1).await;
    assert_eq!(told, [json!({"message_tagging": first(&inbox, &inbox.admin, "message_tagging_events/").await})]);
}

#[tokio::test]
async fn r_iwh_6_a_tagged_message_is_told_before_its_chat() {
    let inbox = Inbox::start().await;
    let message = inbox.customer_writes(RUI, "Hello").await;
    let receiver = hook(&inbox, &inbox.bot, INCOMING).await;
    let vip = tag(&inbox, "vip").await;
    inbox.post(&inbox.admin, "message_tagging/", json!({"tag": vip, "message": message})).await.expect(201);
    let calls = receiver.wait_for(2).await;
    assert_eq!(calls.iter().map(|call| keys(&call.body)).collect::<Vec<_>>(), [["message_tagging"], ["chat_tagging"]]);
    assert_eq!(calls[0].body["message_tagging"]["message"], message);
}

#[tokio::test]
async fn tagging_keys_of_the_first_generation_are_told_where_the_tenant_wants_them() {
    let inbox = Inbox::start().await;
    let message = inbox.customer_writes(RUI, "Hello").await;
    let tools = inbox.tools().await;
    let change = |settings: &mut chatledger_domain::tenant::Settings| settings.legacy_tagging_payloads = true;
    tools.application.set_tenant(TenantId(inbox.tenant), change).await.expect("set");
    tools.close().await;
    // The directory is at most a second old.
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let receiver = hook(&inbox, &inbox.bot, NOTHING).await;
    let vip = tag(&inbox, "vip").await;
    let body = json!({"tag": vip, "message": message, "extra": {"a": 1}});
    inbox.post(&inbox.admin, "message_tagging/", body).await.expect(201);
    let calls = receiver.wait_for(2).await;
    assert_eq!(keys(&calls[0].body), ["message_tagging", "tagged_messages"]);
    assert_eq!(keys(&calls[1].body), ["chat_tagging", "tagged_chats"]);
    let new_tag = json!({"name": "vip", "id": vip, "extra": {"a": 1}});
    let (messages, chats) = (&calls[0].body["tagged_messages"][0], &calls[1].body["tagged_chats"][0]);
    assert_eq!((&messages["new_tag"], &chats["new_tag"]), (&new_tag, &new_tag));
    assert_eq!(messages["message"]["waba_payload"]["id"], message);
    assert_eq!((&chats["chat"]["wa_id"], &chats["chat"]["new_messages"]), (&json!(RUI), &json!(1)));
}

#[tokio::test]
async fn a_chat_that_is_resolved_and_reopened_by_its_customer_is_told() {
    let inbox = Inbox::start().await;
    inbox.customer_writes(RUI, "Hello").await;
    let receiver = hook(&inbox, &inbox.bot, INCOMING).await;
    inbox.patch(&inbox.admin, &format!("chats/{RUI}/resolve"), json!({"resolved": true})).await.expect(200);
    inbox.customer_writes(RUI, "One more thing").await;
    inbox.customer_writes(RUI, "And another").await;
    let calls = receiver.wait_for(4).await;
    let told: Vec<_> = calls.iter().map(|call| call.body.get("chat_resolved").cloned()).collect();
    let resolved = |resolved: bool| Some(json!({"wa_id": RUI, "resolved": resolved}));
    assert_eq!(told, [resolved(true), None, resolved(false), None]);
}

#[tokio::test]
async fn availability_is_told_with_the_user() {
    let inbox = Inbox::start().await;
    let receiver = hook(&inbox, &inbox.bot, NOTHING).await;
    let path = format!("users/{}/", inbox.agent.id);
    let body = json!({"is_available": false});
    inbox.patch(&inbox.agent, &format!("{path}availability/"), body).await.expect(200);
    let told = receiver.wait_for_bodies("user_availability", 1).await;
    let user = inbox.get(&inbox.admin, &path).await.expect(200);
    assert_eq!(column(&told, "/user_availability"), [json!({"is_available": false, "user": user})]);
}
