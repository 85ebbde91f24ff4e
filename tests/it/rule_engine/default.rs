//! The rules kept here (§3.2).

use super::*;

#[tokio::test]
async fn r_rul_10_a_fresh_message_is_assigned_and_nobody_loses_a_chat() {
    let inbox = Inbox::start().await;
    let (bot, agent) = (inbox.bot.id.0, inbox.agent.id.0);
    rule(&inbox, json!({"assign_to_user": bot})).await;
    inbox.customer_writes(RUI, "Hello").await;
    assert_eq!(holder(&inbox, RUI).await, (Some(bot), None));
    let made = assignments(&inbox, RUI).await;
    assert_eq!((&made[0]["done_by"], &made[0]["user_set"]), (&Value::Null, &json!(bot)));
    assert_eq!(made[0]["based_on"], Value::Null, "its new user gets all that is waiting");
    give(&inbox, RUI, json!({"assigned_to_user": agent})).await;
    inbox.customer_writes(RUI, "Are you there?").await;
    assert_eq!(holder(&inbox, RUI).await, (Some(agent), None), "somebody has it");
    let group = group(&inbox, "Regular user").await;
    give(&inbox, RUI, json!({"assigned_to_user": null, "assigned_group": group})).await;
    inbox.customer_writes(RUI, "Hello?").await;
    assert_eq!(holder(&inbox, RUI).await, (None, Some(group)), "a group has it");
    give(&inbox, RUI, json!({"assigned_group": null})).await;
    assert_eq!(holder(&inbox, RUI).await, (None, None), "giving up is no trigger");
    inbox.customer_writes(RUI, "Hello again").await;
    assert_eq!(holder(&inbox, RUI).await, (Some(bot), None), "fresh again");
}

#[tokio::test]
async fn r_rul_11_an_added_tag_assigns_directly_through_a_message_and_again_but_not_its_removal() {
    let inbox = Inbox::start().await;
    let (bot, agent) = (inbox.bot.id.0, inbox.agent.id.0);
    let (vip, other) = (tag(&inbox, "vip").await, tag(&inbox, "other").await);
    rule(&inbox, json!({"assign_to_user": agent, "tagged_with": vip})).await;
    let message = inbox.customer_writes(RUI, "Hello").await;
    inbox.customer_writes(ANA, "Hello").await;
    tag_chat(&inbox, other, ANA).await;
    assert_eq!(holder(&inbox, ANA).await, (None, None), "another tag");
    let tagging = tag_chat(&inbox, vip, ANA).await;
    assert_eq!(holder(&inbox, ANA).await, (Some(agent), None));
    give(&inbox, ANA, json!({"assigned_to_user": bot})).await;
    assert_eq!(inbox.delete(&inbox.admin, &format!("chat_tagging/{tagging}/")).await.status, 204);
    assert_eq!(holder(&inbox, ANA).await, (Some(bot), None), "a removal assigns nobody");
    // Through a message: the chat gets the tag as well, and it is one assignment.
    tag_message(&inbox, vip, &message).await;
    assert_eq!(holder(&inbox, RUI).await, (Some(agent), None));
    let made = assignments(&inbox, RUI).await;
    assert_eq!((made.len(), &made[0]["based_on"]), (1, &json!(our_id(&inbox, &message).await)));
    // The chat has the tag already; another message is tagged.
    give(&inbox, RUI, json!({"assigned_to_user": bot})).await;
    let second = inbox.customer_writes(RUI, "And this?").await;
    tag_message(&inbox, vip, &second).await;
    assert_eq!(holder(&inbox, RUI).await, (Some(agent), None), "whoever has it (R-ASG-12)");
}

#[tokio::test]
async fn r_rul_12_the_first_rule_that_can_be_applied_is_and_the_rest_is_ignored() {
    let inbox = Inbox::start().await;
    let (bot, agent) = (inbox.bot.id.0, inbox.agent.id.0);
    let zoe = inbox.add_user("zoe", Role::User).await.id.0;
    let made = inbox.post(&inbox.admin, "groups/", json!({"name": "Gone"})).await.expect(201);
    let gone = made["id"].as_i64().expect("a number");
    rule(&inbox, json!({"assign_to_user": bot, "position": 9})).await;
    let second = rule(&inbox, json!({"assign_to_user": agent, "position": 3})).await;
    rule(&inbox, json!({"assign_to_user": bot, "position": 3})).await;
    rule(&inbox, json!({"assign_to_user": zoe, "position": 1})).await;
    let to_group = json!({"assign_to_group": gone, "group_assign_method": "let_group_decide", "position": 2});
    rule(&inbox, to_group).await;
    inbox.customer_writes(RUI, "Hello").await;
    assert_eq!(holder(&inbox, RUI).await, (Some(zoe), None));
    // Rules whose user or group is no more never fire.
    assert_eq!(inbox.delete(&inbox.admin, &format!("users/{zoe}/")).await.status, 204);
    assert_eq!(inbox.delete(&inbox.admin, &format!("groups/{gone}/")).await.status, 204);
    inbox.customer_writes(ANA, "Hello").await;
    assert_eq!(holder(&inbox, ANA).await, (Some(agent), None), "at the same place the older rule");
    assert_eq!(assignments(&inbox, ANA).await.len(), 1);
    assert_eq!(inbox.delete(&inbox.admin, &format!("settings/rule_engine/rules/{second}/")).await.status, 204);
    inbox.customer_writes(EVA, "Hello").await;
    assert_eq!(holder(&inbox, EVA).await, (Some(bot), None));
}

#[tokio::test]
async fn r_rul_13_without_a_rule_that_matches_nobody_is_assigned() {
    let inbox = Inbox::start().await;
    inbox.customer_writes(RUI, "Hello").await;
    assert_eq!(holder(&inbox, RUI).await, (None, None));
    let vip = tag(&inbox, "vip").await;
    rule(&inbox, json!({"assign_to_user": inbox.bot.id.0, "tagged_with": vip})).await;
    inbox.customer_writes(RUI, "Hello again").await;
    assert_eq!(holder(&inbox, RUI).await, (None, None));
    assert!(assignments(&inbox, RUI).await.is_empty());
}
