//! Contract §E: the end of a user's access.

use std::time::{Duration, Instant};

use chatledger_domain::Role;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{ANA, EVA, FORBIDDEN, NOT_FOUND, RUI, column, groups::append, users::one};
use crate::harness::inbox::Inbox;

const INACTIVE: &str = r#"{"detail":"User inactive or deleted."}"#;

#[tokio::test]
async fn r_usr_8_a_deactivated_users_token_is_dead_at_once_on_every_server() {
    let inbox = Inbox::start().await;
    let other = inbox.beside().await;
    let agent = &inbox.agent;
    for server in [&inbox, &other] {
        server.get(agent, "users/current/").await.expect(200);
    }
    let answer = inbox.delete(&inbox.admin, &one(agent.id)).await;
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    let answer = inbox.get(agent, "users/current/").await;
    assert_eq!((answer.status, answer.text.as_str()), (403, INACTIVE));
    let since = Instant::now();
    while other.get(agent, "users/current/").await.status != 403 {
        assert!(since.elapsed() < Duration::from_secs(1), "the other server still takes the token");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for server in [&inbox, &other] {
        let body = json!({"username": agent.username, "password": agent.password});
        let answer = server.http.call(Method::POST, "auth/token/", None, Some(body)).await;
        assert_eq!(answer.expect(400)["non_field_errors"], json!(["Unable to log in with provided credentials."]));
    }
}

#[tokio::test]
async fn a_deactivated_user_is_listed_no_more_but_still_named() {
    let inbox = Inbox::start().await;
    let (admin, agent) = (&inbox.admin, &inbox.agent);
    inbox.customer_writes(RUI, "Hello").await;
    inbox.give(RUI, agent).await;
    let body = json!({"wa_id": RUI, "type": "text", "text": {"body": "Hi"}});
    inbox.post(agent, "messages/", body).await.expect(201);
    let shown = inbox.page(admin, &one(agent.id)).await;
    inbox.delete(admin, &one(agent.id)).await;
    assert_eq!(column(&inbox.page(admin, "users/").await, "/username"), ["admin", "bot"]);
    assert_eq!(inbox.total(admin, "users/").await, 2);
    assert_eq!(inbox.page(admin, &one(agent.id)).await, shown);
    assert_eq!(inbox.page(admin, "messages/").await["results"][0]["sender"], shown);
    // It cannot be changed, assigned or ended again, and its name stays its own.
    let path = format!("users/{}", agent.id);
    for answer in [
        inbox.patch(admin, &one(agent.id), json!({"first_name": "X"})).await,
        inbox.put(admin, &format!("{path}/password/change/"), json!({"password": "a good password"})).await,
        inbox.patch(admin, &format!("{path}/availability/"), json!({"is_available": false})).await,
        inbox.delete(admin, &one(agent.id)).await,
    ] {
        assert_eq!((answer.status, answer.text.as_str()), (404, NOT_FOUND));
    }
    inbox.assign(admin, RUI, json!({"assigned_to_user": agent.id})).await.expect(400);
    let again = inbox.post(admin, "users/", json!({"username": "Agent"})).await.expect(400);
    assert_eq!(again["username"], json!(["A user with that username already exists."]));
    for answer in [inbox.delete(&inbox.bot, &one(admin.id)).await, inbox.delete(&inbox.bot, &one("x")).await] {
        assert_eq!((answer.status, answer.text.as_str()), (403, FORBIDDEN));
    }
    for id in ["999999", "0", "x"] {
        let answer = inbox.delete(admin, &one(id)).await;
        assert_eq!((answer.status, answer.text.as_str()), (404, NOT_FOUND), "{id}");
    }
}

#[tokio::test]
async fn r_usr_8_a_deactivated_users_chats_are_taken_with_one_event_each() {
    let inbox = Inbox::start().await;
    let (admin, agent) = (&inbox.admin, &inbox.agent);
    let group = inbox.group("Regular user").await;
    for chat in [RUI, ANA, EVA] {
        inbox.customer_writes(chat, "Hello").await;
    }
    inbox.give(RUI, agent).await;
    inbox.assign(admin, ANA, json!({"assigned_to_user": agent.id, "assigned_group": group})).await.expect(200);
    inbox.give(EVA, &inbox.bot).await;
    let before = inbox.total(admin, "chat_assignment_events/").await;
    inbox.delete(admin, &one(agent.id)).await;
    let assigned = async |chat: &str| inbox.page(admin, &format!("chat_assignment/{chat}/")).await;
    assert_eq!(assigned(RUI).await, json!({"wa_id": RUI, "assigned_to_user": null, "assigned_group": null}));
    assert_eq!(assigned(ANA).await, json!({"wa_id": ANA, "assigned_to_user": null, "assigned_group": group}));
    assert_eq!(assigned(EVA).await["assigned_to_user"], json!(inbox.bot.id));
    let page = inbox.page(admin, "chat_assignment_events/").await;
    assert_eq!(page["count"], before + 2);
    for event in &page["results"].as_array().unwrap()[..2] {
        assert_eq!((&event["assigned_to_user_was_cleared"], &event["done_by"]["id"]), (&json!(true), &json!(admin.id)));
        assert_eq!((&event["assigned_group_was_cleared"], &event["assigned_group_set"]), (&json!(false), &Value::Null));
    }
}

#[tokio::test]
async fn r_usr_8_a_deactivation_that_a_crash_cut_short_goes_on_at_the_next_start() {
    let inbox = Inbox::start().await;
    let (admin, agent) = (&inbox.admin, &inbox.agent);
    inbox.customer_writes(RUI, "Hello").await;
    inbox.delete(admin, &one(agent.id)).await;
    let slipped = json!({"user_set": agent.id, "user_cleared": false, "group_set": null, "group_cleared": false,
        "done_by": admin.id, "timestamp": 5});
    append(&inbox, RUI, &slipped).await;
    assert_eq!(inbox.page(admin, &format!("chat_assignment/{RUI}/")).await["assigned_to_user"], json!(agent.id));
    let other = inbox.beside().await;
    for _ in 0..400 {
        if other.page(admin, &format!("chat_assignment/{RUI}/")).await["assigned_to_user"].is_null() {
            let event = other.page(admin, "chat_assignment_events/").await["results"][0].clone();
            assert_eq!(event["done_by"]["id"], json!(admin.id));
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the chat stayed with a user that is no more");
}

#[tokio::test]
async fn r_usr_7_the_last_active_admin_is_neither_deactivated_nor_demoted() {
    let inbox = Inbox::start().await;
    let admin = &inbox.admin;
    let last = json!({"reason": "The last active admin can be neither deactivated nor demoted."});
    let users = inbox.group("Regular user").await;
    // One that is not active yet does not count.
    let body = json!({"username": "later", "profile": {"role": "admin"}});
    let later = inbox.post(admin, "users/", body).await.expect(201);
    for answer in [
        inbox.delete(admin, &one(admin.id)).await,
        inbox.patch(admin, &one(admin.id), json!({"profile": {"role": "user"}})).await,
        inbox.patch(admin, &one(admin.id), json!({"groups": [{"id": users}]})).await,
        inbox.patch(admin, &one(admin.id), json!({"groups": []})).await,
    ] {
        assert_eq!(answer.expect(400), last);
    }
    inbox.get(admin, "settings/permissions/").await.expect(200);
    let url = later["activation_url"].as_str().unwrap().strip_prefix(&inbox.http.base_url).unwrap();
    inbox.http.call(Method::POST, url, None, None).await.expect(200);
    inbox.patch(admin, &one(admin.id), json!({"profile": {"role": "user"}})).await.expect(200);
    assert_eq!(inbox.get(admin, "settings/permissions/").await.status, 403);
}

#[tokio::test]
async fn r_usr_7_of_admins_that_end_each_other_at_once_one_stays_on_two_servers() {
    let inbox = Inbox::start().await;
    let other = inbox.beside().await;
    let mut admin = inbox.admin.clone();
    for round in 0..6 {
        let rival = inbox.add_user(&format!("rival{round}"), Role::Admin).await;
        // Both servers have both users in memory.
        for server in [&inbox, &other] {
            for user in [&admin, &rival] {
                let name = json!({"first_name": format!("{round}")});
                server.patch(user, &one(user.id), name).await.expect(200);
            }
        }
        let mut calls = JoinSet::new();
        for (server, by, whom) in [(&inbox, &admin, &rival), (&other, &rival, &admin)] {
            let (http, token, path) = (server.http.clone(), by.token.clone(), one(whom.id));
            calls.spawn(async move {
                if round % 2 == 0 {
                    http.call(Method::DELETE, &path, Some(&token), None).await.status
                } else {
                    let body = json!({"profile": {"role": "user"}});
                    http.call(Method::PATCH, &path, Some(&token), Some(body)).await.status
                }
            });
        }
        let answers = calls.join_all().await;
        let done = answers.iter().filter(|status| matches!(status, 200 | 204)).count();
        assert_eq!(done, 1, "{answers:?}");
        assert!(answers.iter().all(|status| matches!(status, 200 | 204 | 400 | 403)), "{answers:?}");
        inbox.settle().await;
        if inbox.get(&admin, "settings/permissions/").await.status != 200 {
            admin = rival;
        }
        inbox.get(&admin, "settings/permissions/").await.expect(200);
    }
    let sql = "SELECT count(*) FROM read_models.users WHERE role = 'admin' AND activated AND NOT deactivated";
    assert_eq!(inbox.count(sql).await, 1);
}

#[tokio::test]
async fn r_usr_7_admins_of_a_ledger_that_was_begun_before_they_were_counted_are_counted() {
    let inbox = Inbox::start().await;
    let second = inbox.add_user("second", Role::Admin).await;
    // As an earlier release left it: nobody counted.
    let forget = "ALTER TABLE ledger.events DISABLE TRIGGER USER";
    sqlx::query(forget).execute(&inbox.pool).await.unwrap();
    sqlx::query("UPDATE ledger.events SET aggregate_id = 'long ago' WHERE aggregate_type = 'Admins'")
        .execute(&inbox.pool)
        .await
        .unwrap();
    let other = inbox.beside().await;
    other.delete(&second, &one(inbox.admin.id)).await;
    assert_eq!(other.get(&inbox.admin, "users/current/").await.status, 403);
    assert_eq!(other.delete(&second, &one(second.id)).await.status, 400);
}
