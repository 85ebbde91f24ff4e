//! A program of the tenant's own: what it is told, and what is made of its answers (§3.1).

use super::*;

#[tokio::test]
async fn r_rul_8_each_trigger_is_one_call_with_everything_in_it() {
    let inbox = Inbox::start().await;
    let engine = engine(&inbox, json!({})).await;
    let first = inbox.customer_writes(RUI, "Hello").await;
    let send = json!({"wa_id": RUI, "type": "text", "text": {"body": "Hi"}});
    inbox.post(&inbox.admin, "messages/", send).await.expect(201);
    let vip = tag(&inbox, "vip").await;
    let tagging = tag_message(&inbox, vip, &first).await;
    assert_eq!(inbox.delete(&inbox.admin, &format!("message_tagging/{tagging}/")).await.status, 204);
    decided(&inbox).await;
    let calls = engine.calls();
    let keys: Vec<Vec<&str>> = calls
        .iter()
        .map(|call| {
            let mut keys: Vec<&str> = call.body.as_object().expect("an object").keys().map(String::as_str).collect();
            keys.sort_unstable();
            keys
        })
        .collect();
    let tagged = vec!["chat_tagging", "message_tagging", "tagged_chats", "tagged_messages"];
    let expected =
        [vec!["contacts", "incoming_messages", "messages"], vec!["outgoing_messages"], tagged, vec!["message_tagging"]];
    assert_eq!(keys, expected);
    assert_eq!(calls[0].body["messages"][0]["id"], json!(first));
    assert_eq!(calls[0].body["incoming_messages"][0]["id"], json!(our_id(&inbox, &first).await));
    assert_eq!(calls[2].body["message_tagging"]["tag"]["name"], "vip");
    assert_eq!(calls[2].body["tagged_messages"][0]["new_tag"]["id"], vip);
    assert_eq!((&calls[2].body["chat_tagging"]["chat"], calls[0].header("authorization")), (&json!(RUI), "Bearer x"));
    assert_eq!((calls[0].path.as_str(), calls[0].header("x-chatledger-attempt")), ("/hook?auth=s3cr3t", "1"));
    let ids: std::collections::BTreeSet<&str> = calls.iter().map(|call| call.header("webhook-id")).collect();
    assert_eq!(ids.len(), 4);
}

#[tokio::test]
async fn r_rul_1_a_user_is_set_and_the_group_stays() {
    let inbox = Inbox::start().await;
    let (bot, group) = (inbox.bot.id.0, group(&inbox, "Regular user").await);
    inbox.customer_writes(RUI, "Hello").await;
    give(&inbox, RUI, json!({"assigned_group": group, "assigned_to_user": inbox.agent.id.0})).await;
    engine(&inbox, json!({"assignment": [{"chat_id": RUI, "user": bot}]})).await;
    inbox.customer_writes(RUI, "Hello").await;
    assert_eq!(holder(&inbox, RUI).await, (Some(bot), Some(group)));
    let made = assignments(&inbox, RUI).await;
    let last = made.last().expect("assigned");
    assert_eq!((&last["done_by"], &last["group_set"], &last["based_on"]), (&Value::Null, &Value::Null, &Value::Null));
    assert!(last["trigger"].is_i64());
}

#[tokio::test]
async fn r_rul_2_a_group_that_decides_is_set_and_the_user_cleared() {
    let inbox = Inbox::start().await;
    let group = group(&inbox, "Regular user").await;
    inbox.customer_writes(RUI, "Hello").await;
    give(&inbox, RUI, json!({"assigned_to_user": inbox.agent.id.0})).await;
    let engine = engine(&inbox, json!({})).await;
    engine.answer(move |call| for_message(call, json!({"group": group, "group_assign_method": "let_group_decide"})));
    let message = inbox.customer_writes(RUI, "Hello").await;
    assert_eq!(holder(&inbox, RUI).await, (None, Some(group)));
    let made = assignments(&inbox, RUI).await;
    assert_eq!((made.len(), &made[1]["user_cleared"], &made[1]["group_set"]), (2, &json!(true), &json!(group)));
    assert_eq!(made[1]["based_on"], json!(our_id(&inbox, &message).await));
}

#[tokio::test]
async fn r_rul_4_what_cannot_be_applied_is_skipped_and_the_rest_is_applied() {
    let inbox = Inbox::start().await;
    let (bot, agent, group) = (inbox.bot.id.0, inbox.agent.id.0, group(&inbox, "Regular user").await);
    let gone = inbox.add_user("gone", Role::User).await.id.0;
    assert_eq!(inbox.delete(&inbox.admin, &format!("users/{gone}/")).await.status, 204);
    for chat in [RUI, ANA] {
        inbox.customer_writes(chat, "Hello").await;
    }
    let eva = inbox.customer_writes(EVA, "Hello").await;
    let answer = json!({"assignment": [
        {"chat_id": RUI, "user": agent},
        {"message_id": "wamid.unknown", "user": bot},
        {"chat_id": "351999999999", "user": bot},
        {"chat_id": ANA, "user": 999_999},
        {"chat_id": ANA, "user": gone},
        {"chat_id": ANA, "group": bot, "group_assign_method": "let_group_decide"},
        {"chat_id": ANA, "group": group},
        {"chat_id": ANA, "group": group, "group_assign_method": "by age"},
        {"chat_id": ANA},
        {"chat_id": ANA, "user": bot, "group": group, "group_assign_method": "let_group_decide"},
        {"chat_id": ANA, "message_id": eva, "user": bot},
        {"user": bot},
        "nonsense",
        {"message_id": eva, "user": bot}
    ]});
    engine(&inbox, answer).await;
    inbox.customer_writes(RUI, "And now").await;
    assert_eq!(holder(&inbox, RUI).await, (Some(agent), None));
    assert_eq!(holder(&inbox, EVA).await, (Some(bot), None));
    assert!(assignments(&inbox, ANA).await.is_empty());
}

#[tokio::test]
async fn r_rul_5_one_assignment_per_chat_and_answer_the_last() {
    let inbox = Inbox::start().await;
    let (bot, agent) = (inbox.bot.id.0, inbox.agent.id.0);
    inbox.customer_writes(ANA, "Hello").await;
    let entry = |chat: &str, user: i64| json!({"chat_id": chat, "user": user});
    let entries = [entry(RUI, bot), entry(ANA, bot), entry(RUI, agent), entry(ANA, bot), entry(ANA, 999_999)];
    engine(&inbox, json!({ "assignment": entries })).await;
    inbox.customer_writes(RUI, "Hello").await;
    assert_eq!((holder(&inbox, RUI).await, holder(&inbox, ANA).await), ((Some(agent), None), (Some(bot), None)));
    assert_eq!((assignments(&inbox, RUI).await.len(), assignments(&inbox, ANA).await.len()), (1, 1));
}

#[tokio::test]
async fn r_rul_7_what_the_engine_assigns_does_not_call_it_again() {
    let inbox = Inbox::start().await;
    let engine = engine(&inbox, json!({"assignment": [{"chat_id": RUI, "user": inbox.bot.id.0}]})).await;
    inbox.customer_writes(RUI, "Hello").await;
    assert_eq!(assignments(&inbox, RUI).await.len(), 1);
    give(&inbox, RUI, json!({"assigned_to_user": inbox.agent.id.0})).await;
    decided(&inbox).await;
    assert_eq!(engine.count(), 1);
}

#[tokio::test]
async fn r_rul_9_a_switch_of_the_mode_affects_the_next_trigger() {
    let inbox = Inbox::start().await;
    let (bot, agent) = (inbox.bot.id.0, inbox.agent.id.0);
    rule(&inbox, json!({"assign_to_user": agent})).await;
    let engine = engine(&inbox, json!({})).await;
    first(&engine, vec![Manner::status(503)], bot);
    inbox.customer_writes(RUI, "Hello").await;
    engine.wait_for(1).await;
    // Before the second try.
    inbox.put(&inbox.admin, "settings/rule_engine/", json!({"mode": "default"})).await.expect(200);
    inbox.customer_writes(ANA, "Hello").await;
    assert_eq!((holder(&inbox, RUI).await, holder(&inbox, ANA).await), ((Some(bot), None), (Some(agent), None)));
    assert_eq!(engine.count(), 2);
}
