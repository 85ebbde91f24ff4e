//! The reference flow (§3.2).

use super::*;
use crate::harness::receiver::Receiver;

#[tokio::test]
async fn the_reference_flow_of_the_default_engine() {
    let inbox = Inbox::start().await;
    let (bot, group) = (inbox.bot.id.0, group(&inbox, "Regular user").await);
    let zoe = inbox.add_user("zoe", Role::User).await;
    let needed = tag(&inbox, "Agent needed").await;
    rule(&inbox, json!({"assign_to_user": bot})).await;
    let to_group = json!({"tagged_with": needed, "assign_to_group": group, "group_assign_method": "let_group_decide"});
    rule(&inbox, to_group).await;

    let program = Receiver::start().await;
    let hook = json!({"url": program.url, "on_incoming_message": false, "on_assigned": true});
    inbox.post(&inbox.bot, "webhooks/waba/", hook).await.expect(201);

    let message = inbox.customer_writes(RUI, "Hello").await;
    assert_eq!(holder(&inbox, RUI).await, (Some(bot), None));
    let told = program.wait_for_bodies("assigned_messages", 1).await;
    assert_eq!(told[0]["assigned_messages"][0]["waba_payload"]["id"], message);
    assert_eq!(told[0]["chat_assignment"]["assigned_to_user_set"]["id"], bot);
    let from = &told[0]["assigned_messages"][0]["waba_payload"]["from"];
    let reply = json!({"wa_id": from, "type": "text", "text": {"body": "Hello! How may I help you?"}});
    inbox.post(&inbox.bot, "messages/", reply.clone()).await.expect(201);
    let tagging = json!({"tag": needed, "message": message});
    inbox.post(&inbox.bot, "message_tagging/", tagging).await.expect(201);
    assert_eq!(holder(&inbox, RUI).await, (None, Some(group)));
    let events = inbox.get(&inbox.admin, &format!("chat_tagging_events/?chat={RUI}")).await.expect(200);
    assert_eq!(events["count"], 1, "the chat is tagged with its message");
    let made = assignments(&inbox, RUI).await;
    assert_eq!(made.len(), 2);
    assert_eq!((&made[0]["user_set"], &made[0]["done_by"]), (&json!(bot), &Value::Null));
    assert_eq!((&made[1]["user_cleared"], &made[1]["group_set"]), (&json!(true), &json!(group)));

    assert_eq!(inbox.post(&inbox.bot, "messages/", reply.clone()).await.status, 403, "the bot has lost it");
    let take = |id: i64| json!({"assigned_to_user": id});
    let path = format!("chat_assignment/{RUI}/");
    assert_eq!(inbox.patch(&inbox.agent, &path, take(inbox.agent.id.0)).await.status, 200);
    assert_eq!(inbox.patch(&zoe, &path, take(zoe.id.0)).await.status, 403);
    inbox.post(&inbox.agent, "messages/", reply).await.expect(201);
    assert_eq!(holder(&inbox, RUI).await, (Some(inbox.agent.id.0), Some(group)));
}
