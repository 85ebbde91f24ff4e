//! Contract §H: assignment.

use chatledger_api::bootstrap::Login;
use chatledger_application::rule_engine::Wanted;
use chatledger_domain::{Position, Role, TenantId, rule_engine::Target};
use serde_json::{Value, json};

use super::{ANA, FORBIDDEN, RUI, column, inside, keys};
use crate::harness::{http::Answer, inbox::Inbox};

const CHANGED: &str = "Chat assignments have been changed by another user recently.";

async fn start() -> (Inbox, Login) {
    let inbox = Inbox::start().await;
    inbox.customer_writes(RUI, "Hello").await;
    let zoe = inbox.add_user("zoe", Role::User).await;
    (inbox, zoe)
}

fn user(login: &Login) -> Value {
    json!({"assigned_to_user": login.id})
}

#[track_caller]
fn refused(answer: Answer) {
    let body = answer.expect(403);
    assert_eq!(body["detail"], "You do not have permission to perform this action.", "{body}");
}

/// User and group of Rui's chat.
async fn now_at(inbox: &Inbox) -> (Value, Value) {
    let answer = inbox.get(&inbox.admin, &format!("chat_assignment/{RUI}/")).await;
    assert_eq!(keys(&answer.text), "wa_id assigned_to_user assigned_group");
    let chat = inbox.page(&inbox.admin, &format!("chats/{RUI}/")).await;
    let id = |value: &Value| value.get("id").cloned().unwrap_or_default();
    let found = (answer.body["assigned_to_user"].clone(), answer.body["assigned_group"].clone());
    assert_eq!(found, (id(&chat["assigned_to_user"]), id(&chat["assigned_group"])), "R-CST-1");
    found
}

#[tokio::test]
async fn r_asg_1_user_and_group_are_set_independently() {
    let (inbox, _) = start().await;
    let (admin, group) = (&inbox.admin, inbox.group("Regular user").await);
    let path = format!("chat_assignment/{RUI}/");
    assert_eq!(now_at(&inbox).await, (Value::Null, Value::Null));
    let set = inbox.patch(admin, &path, json!({"assigned_group": group})).await;
    assert_eq!(set.text, format!(r#"{{"wa_id":"{RUI}","assigned_to_user":null,"assigned_group":{group}}}"#));
    inbox.patch(admin, &path, user(&inbox.agent)).await.expect(200);
    assert_eq!(now_at(&inbox).await, (json!(inbox.agent.id), json!(group)));
    // PATCH leaves what is absent; PUT clears it.
    inbox.patch(admin, &path, json!({})).await.expect(200);
    inbox.patch(admin, &path, json!({"wa_id": "+351 912 000 111"})).await.expect(200);
    assert_eq!(now_at(&inbox).await, (json!(inbox.agent.id), json!(group)));
    inbox.put(admin, &path, user(&inbox.bot)).await.expect(200);
    assert_eq!(now_at(&inbox).await, (json!(inbox.bot.id), Value::Null));
    inbox.put(admin, &path, json!({"assigned_group": group, "assigned_to_user": null})).await.expect(200);
    assert_eq!(now_at(&inbox).await, (Value::Null, json!(group)));
    inbox.put(admin, &path, json!({})).await.expect(200);
    assert_eq!(now_at(&inbox).await, (Value::Null, Value::Null));
}

#[tokio::test]
async fn assignment_says_what_is_wrong() {
    let (inbox, _) = start().await;
    let path = format!("chat_assignment/{RUI}/");
    for method in ["PUT", "PATCH"] {
        let ask = async |body: Value| {
            let headers = [("Content-Type", "application/json"), ("Authorization", &*super::credential(&inbox.agent))];
            inbox.raw(method, &path, &headers, &body.to_string()).await.expect(400)
        };
        for field in ["assigned_to_user", "assigned_group"] {
            for unknown in [json!(99), json!("99"), json!(99.0)] {
                let text = "Invalid pk \"99\" - object does not exist.";
                assert_eq!(
                    ask(json!({field: unknown})).await,
                    json!({field: [text], "reason": format!("{field}: {text}")})
                );
            }
            assert!(ask(json!({field: "x"})).await[field][0].is_string());
            assert!(ask(json!({field: {"id": 1}})).await[field][0].is_string());
        }
        assert!(ask(json!({"wa_id": ANA})).await["wa_id"][0].is_string());
        // A tag is no user, and a user is no group.
        let both = json!({"assigned_to_user": inbox.group("Admin").await, "assigned_group": inbox.agent.id});
        assert!(ask(both).await["reason"].is_string());
    }
    assert_eq!(now_at(&inbox).await, (Value::Null, Value::Null));
}

#[tokio::test]
async fn r_asg_2_3_4_and_6_who_may_change_the_user() {
    let (inbox, zoe) = start().await;
    let (admin, agent) = (&inbox.admin, &inbox.agent);
    let nobody = json!({"assigned_to_user": null});
    // R-ASG-2: anybody active while nobody is assigned, itself or another.
    inbox.assign(agent, RUI, user(&inbox.bot)).await.expect(200);
    // R-ASG-3: only itself may be cleared; R-ASG-4: and nobody replaced.
    refused(inbox.assign(agent, RUI, nobody.clone()).await);
    refused(inbox.assign(agent, RUI, user(agent)).await);
    refused(inbox.assign(&inbox.bot, RUI, user(agent)).await);
    refused(inbox.put(agent, &format!("chat_assignment/{RUI}/"), json!({})).await);
    // R-ASG-6: a program follows the same rules.
    inbox.assign(&inbox.bot, RUI, nobody.clone()).await.expect(200);
    inbox.assign(agent, RUI, user(agent)).await.expect(200);
    refused(inbox.assign(agent, RUI, user(&zoe)).await);
    refused(inbox.assign(&zoe, RUI, user(&zoe)).await);
    // What changes nothing is allowed to all who may read.
    inbox.assign(&zoe, RUI, user(agent)).await.expect(200);
    assert_eq!(now_at(&inbox).await.0, json!(agent.id));
    // R-ASG-6: admins may do all.
    inbox.assign(admin, RUI, user(&zoe)).await.expect(200);
    inbox.assign(admin, RUI, nobody.clone()).await.expect(200);
    inbox.assign(admin, RUI, user(admin)).await.expect(200);
    refused(inbox.assign(agent, RUI, nobody).await);
    assert_eq!(now_at(&inbox).await.0, json!(admin.id));
    // R-ASG-7: who may not read may not change.
    let answer = inbox.assign(&inbox.bot, RUI, json!({"assigned_group": inbox.group("Admin").await})).await;
    assert_eq!((answer.status, answer.text.as_str()), (403, FORBIDDEN));
}

#[tokio::test]
async fn r_asg_5_and_8_who_may_change_the_group_and_all_or_nothing() {
    let (inbox, zoe) = start().await;
    let (admin, agent) = (&inbox.admin, &inbox.agent);
    let (mine, other) = (inbox.group("Regular user").await, inbox.group("Admin").await);
    let group = |id: Option<i64>| json!({ "assigned_group": id });
    // None set: anybody may set.
    inbox.assign(agent, RUI, group(Some(other))).await.expect(200);
    // Somebody else's group, chat not mine: neither change nor clear.
    refused(inbox.assign(agent, RUI, group(Some(mine))).await);
    refused(inbox.assign(agent, RUI, group(None)).await);
    // R-ASG-8: nor with it the user, who alone could be set.
    let both = json!({"assigned_to_user": agent.id, "assigned_group": mine});
    refused(inbox.assign(agent, RUI, both).await);
    refused(inbox.put(agent, &format!("chat_assignment/{RUI}/"), user(agent)).await);
    assert_eq!(now_at(&inbox).await, (Value::Null, json!(other)));
    // The chat is mine: both.
    inbox.assign(agent, RUI, user(agent)).await.expect(200);
    inbox.assign(agent, RUI, group(Some(mine))).await.expect(200);
    // My group, but somebody else's chat.
    refused(inbox.assign(&zoe, RUI, group(None)).await);
    // My group and nobody's chat: both.
    inbox.assign(agent, RUI, json!({"assigned_to_user": null})).await.expect(200);
    inbox.assign(&zoe, RUI, group(Some(other))).await.expect(200);
    inbox.assign(admin, RUI, group(Some(mine))).await.expect(200);
    inbox.assign(&zoe, RUI, group(None)).await.expect(200);
    // R-ASG-8: an unknown group beside a good user changes nothing.
    inbox.assign(agent, RUI, json!({"assigned_to_user": agent.id, "assigned_group": 99_999})).await.expect(400);
    assert_eq!(now_at(&inbox).await, (Value::Null, Value::Null));
}

#[tokio::test]
async fn r_asg_9_a_change_is_one_event_and_no_change_is_none() {
    let (inbox, _) = start().await;
    let (agent, group) = (&inbox.agent, inbox.group("Regular user").await);
    let both = json!({"assigned_to_user": agent.id, "assigned_group": group});
    for _ in 0..2 {
        inbox.assign(agent, RUI, both.clone()).await.expect(200);
    }
    inbox.assign(agent, RUI, json!({"assigned_to_user": null, "assigned_group": group})).await.expect(200);
    inbox.put(&inbox.admin, &format!("chat_assignment/{RUI}/"), json!({})).await.expect(200);
    inbox.put(&inbox.admin, &format!("chat_assignment/{RUI}/"), json!({})).await.expect(200);
    let answer = inbox.get(agent, "chat_assignment_events/").await;
    let expected = "timestamp wa_id assigned_to_user_set assigned_to_user_was_cleared assigned_group_set \
                    assigned_group_was_cleared done_by";
    assert_eq!(keys(&inside(&answer.text, &["results", "0"])), expected);
    let me = inbox.page(agent, "users/current/").await;
    let boss = inbox.page(&inbox.admin, "users/current/").await;
    let times = column(&answer.body, "/timestamp");
    assert!(times.iter().all(Value::is_i64));
    let event = |at: usize, user: &Value, user_cleared: bool, group: Value, group_cleared: bool, by: &Value| {
        json!({"timestamp": times[at], "wa_id": RUI, "assigned_to_user_set": user,
               "assigned_to_user_was_cleared": user_cleared, "assigned_group_set": group,
               "assigned_group_was_cleared": group_cleared, "done_by": by})
    };
    let group = json!({"id": group, "name": "Regular user"});
    assert_eq!(
        answer.expect(200),
        json!({"count": 3, "next": null, "previous": null, "results": [
            event(0, &Value::Null, false, Value::Null, true, &boss),
            event(1, &Value::Null, true, Value::Null, false, &me),
            event(2, &me, false, group, false, &me),
        ]})
    );
}

#[tokio::test]
async fn r_asg_10_of_two_who_take_a_chat_at_once_one_gets_it() {
    let (inbox, zoe) = start().await;
    for round in 0..5 {
        let chat = format!("35191200{round:04}");
        inbox.customer_writes(&chat, "Hello").await;
        let take = async |by: &Login| (inbox.assign(by, &chat, user(by)).await, by.id);
        let (one, two) = tokio::join!(take(&inbox.agent), take(&zoe));
        let (won, lost) = if one.0.status == 200 { (one, two) } else { (two, one) };
        assert_eq!(won.0.expect(200)["assigned_to_user"], json!(won.1));
        refused_with_reason(lost.0);
        let events = inbox.page(&inbox.admin, &format!("chat_assignment_events/?wa_id={chat}")).await;
        assert_eq!(column(&events, "/assigned_to_user_set/id"), [json!(won.1)]);
    }
}

fn refused_with_reason(answer: Answer) {
    let body = answer.expect(403);
    assert_eq!((body["reason"].as_str(), body["detail"].is_string()), (Some(CHANGED), true), "{body}");
}

#[tokio::test]
async fn r_asg_13_replayed_events_are_the_assignment() {
    let (inbox, zoe) = start().await;
    let (one, two) = (inbox.group("Regular user").await, inbox.group("Admin").await);
    let nobody = Value::Null;
    let (a, b) = (json!(inbox.agent.id), json!(zoe.id));
    for (user, group) in [
        (&a, json!(one)),
        (&b, json!(one)),
        (&nobody, json!(two)),
        (&b, nobody.clone()),
        (&nobody, nobody.clone()),
        (&a, json!(two)),
        (&a, json!(two)),
        (&b, json!(one)),
    ] {
        let wish = json!({"assigned_to_user": user, "assigned_group": group});
        inbox.assign(&inbox.admin, RUI, wish).await.expect(200);
        let page = inbox.page(&inbox.agent, &format!("chat_assignment_events/?wa_id={RUI}")).await;
        let mut replayed = (Value::Null, Value::Null);
        for event in page["results"].as_array().unwrap().iter().rev() {
            for (set, cleared, value) in [
                ("assigned_to_user_set", "assigned_to_user_was_cleared", &mut replayed.0),
                ("assigned_group_set", "assigned_group_was_cleared", &mut replayed.1),
            ] {
                assert!(event[set].is_null() || event[cleared] == false, "{event}");
                if event[cleared] == true || !event[set].is_null() {
                    *value = event[set]["id"].clone();
                }
            }
        }
        assert_eq!(replayed, now_at(&inbox).await);
        assert_eq!(replayed, (user.clone(), group));
    }
}

#[tokio::test]
async fn r_asg_12_the_rule_engine_is_above_the_rules_of_users_and_is_nobody() {
    let inbox = Inbox::start().await;
    inbox.customer_writes(RUI, "Hello").await;
    inbox.give(RUI, &inbox.agent).await;
    let (tools, tenant) = (inbox.tools().await, TenantId(inbox.tenant));
    // No user but an admin may take a chat from one user and give it to another (R-ASG-4).
    let target = Target::User(inbox.bot.id);
    let wanted = Wanted { wa_id: RUI.to_owned(), based_on: None, target, only_fresh: false };
    for changes in [true, false] {
        let assigned = tools.application.assign_by_rule(tenant, Position(1), &wanted).await.expect("an answer");
        assert_eq!(assigned, changes);
    }
    tools.close().await;
    inbox.settle().await;
    let page = inbox.page(&inbox.admin, "chat_assignment_events/").await;
    assert_eq!((&page["count"], &page["results"][0]["done_by"]), (&json!(2), &json!(null)));
    assert_eq!(page["results"][0]["assigned_to_user_set"]["id"], json!(inbox.bot.id));
    let now = inbox.page(&inbox.admin, &format!("chat_assignment/{RUI}/")).await;
    assert_eq!((&now["assigned_to_user"], &now["assigned_group"]), (&json!(inbox.bot.id), &json!(null)));
}
