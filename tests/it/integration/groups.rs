//! Contract §E: groups.

use serde_json::{Value, json};

use super::{ANA, EVA, FORBIDDEN, NOT_FOUND, RUI, column, keys, users::one};
use crate::harness::inbox::Inbox;

const BUILT_IN: &str = "A built-in group cannot be changed or deleted.";

fn told(message: &str) -> Value {
    json!({"name": [message], "reason": format!("name: {message}")})
}

#[tokio::test]
async fn an_admin_creates_renames_and_deletes_groups() {
    let inbox = Inbox::start().await;
    let admin = &inbox.admin;
    let answer = inbox.post(admin, "groups/", json!({"name": " Billing "})).await;
    assert_eq!(keys(&answer.text), "id name");
    let made = answer.expect(201);
    assert_eq!(made["name"], "Billing");
    let path = format!("groups/{}/", made["id"]);
    assert_eq!(inbox.page(&inbox.bot, "groups/").await["results"][3], made);
    let renamed = inbox.patch(admin, &path, json!({"name": "Money"})).await.expect(200);
    assert_eq!(renamed, json!({"id": made["id"], "name": "Money"}));
    let page = inbox.page(&inbox.bot, "groups/").await;
    assert_eq!((page["count"].clone(), page["results"][3].clone()), (json!(4), renamed.clone()));
    // The name that was given up is free again, in any case.
    inbox.post(admin, "groups/", json!({"name": "BILLING"})).await.expect(201);
    assert_eq!(inbox.patch(admin, &path, json!({})).await.expect(200), renamed);
    let answer = inbox.delete(admin, &path).await;
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    let page = inbox.page(&inbox.bot, "groups/").await;
    assert_eq!((page["count"].clone(), column(&page, "/name").len()), (json!(4), 4));
    for answer in [inbox.delete(admin, &path).await, inbox.patch(admin, &path, json!({"name": "X"})).await] {
        assert_eq!((answer.status, answer.text.as_str()), (404, NOT_FOUND));
    }
    inbox.post(admin, "groups/", json!({"name": "Money"})).await.expect(201);
    for by in [&inbox.agent, &inbox.bot] {
        for answer in [
            inbox.post(by, "groups/", json!({})).await,
            inbox.patch(by, "groups/999999/", json!({})).await,
            inbox.delete(by, "groups/999999/").await,
        ] {
            assert_eq!((answer.status, answer.text.as_str()), (403, FORBIDDEN));
        }
    }
    for id in ["999999", "0", "-1", "x"] {
        let path = format!("groups/{id}/");
        for answer in [inbox.patch(admin, &path, json!({"name": "X"})).await, inbox.delete(admin, &path).await] {
            assert_eq!((answer.status, answer.text.as_str()), (404, NOT_FOUND), "{id}");
        }
    }
}

#[tokio::test]
async fn names_of_groups_that_do_not_fit_are_told() {
    let inbox = Inbox::start().await;
    let (admin, exists) = (&inbox.admin, "A group with that name already exists.");
    inbox.post(admin, "groups/", json!({"name": "x".repeat(150)})).await.expect(201);
    for (name, message) in [
        (json!(null), "This field may not be null."),
        (json!(" "), "This field may not be blank."),
        (json!({}), "Not a valid string."),
        (json!("x".repeat(151)), "Ensure this field has no more than 150 characters."),
        (json!("a\u{0}"), "Null characters are not allowed."),
        (json!("ADMIN"), exists),
        (json!("regular user"), exists),
        (json!("X".repeat(150)), exists),
    ] {
        let body = inbox.post(admin, "groups/", json!({ "name": name })).await.expect(400);
        assert_eq!(body, told(message), "{name}");
    }
    assert_eq!(inbox.post(admin, "groups/", json!({})).await.expect(400), told("This field is required."));
    let path = format!("groups/{}/", inbox.group(&"x".repeat(150)).await);
    assert_eq!(inbox.patch(admin, &path, json!({"name": "admin"})).await.expect(400), told(exists));
    let wrong = json!({"name": "Y", "permissions": {"can_read_chats": "some"}});
    let body = inbox.patch(admin, &path, wrong).await.expect(400);
    assert_eq!(body["permissions"]["can_read_chats"], json!(["\"some\" is not a valid choice."]));
    assert_eq!(inbox.total(admin, "groups/").await, 4);
}

#[tokio::test]
async fn r_perm_1_built_in_groups_are_neither_changed_nor_deleted() {
    let inbox = Inbox::start().await;
    for name in ["Admin", "Regular user", "App integration"] {
        let path = format!("groups/{}/", inbox.group(name).await);
        for answer in [
            inbox.patch(&inbox.admin, &path, json!({"name": "Other"})).await,
            inbox.patch(&inbox.admin, &path, json!({"permissions": {"can_use_tags": false}})).await,
            inbox.delete(&inbox.admin, &path).await,
        ] {
            assert_eq!(answer.expect(400), json!({ "reason": BUILT_IN }), "{name}");
        }
    }
    let page = inbox.page(&inbox.admin, "groups/").await;
    assert_eq!(column(&page, "/name"), ["Admin", "Regular user", "App integration"]);
}

#[tokio::test]
async fn a_deleted_group_leaves_its_users_and_chats_with_one_event_each() {
    let inbox = Inbox::start().await;
    let (admin, agent, bot) = (&inbox.admin, &inbox.agent, &inbox.bot);
    let permissions = json!({"can_read_chats": "group"});
    let group = inbox.post(admin, "groups/", json!({"name": "Billing", "permissions": permissions})).await.expect(201);
    let id = group["id"].clone();
    for user in [agent, bot] {
        inbox
            .patch(admin, &one(user.id), json!({"groups": [{"id": id}], "profile": {"role": "app"}}))
            .await
            .expect(200);
    }
    for chat in [RUI, ANA, EVA] {
        inbox.customer_writes(chat, "Hello").await;
    }
    inbox.assign(admin, RUI, json!({"assigned_group": id, "assigned_to_user": agent.id})).await.expect(200);
    inbox.assign(admin, ANA, json!({"assigned_group": id})).await.expect(200);
    let other = inbox.group("Regular user").await;
    inbox.assign(admin, EVA, json!({"assigned_group": other})).await.expect(200);
    assert_eq!(inbox.total(bot, "chats/").await, 2);
    let events = inbox.total(admin, "chat_assignment_events/").await;
    let of_users = "SELECT count(*) FROM ledger.events WHERE event_type = 'UserGroupsChanged'";
    let moved = inbox.count(of_users).await;
    assert_eq!(inbox.delete(admin, &format!("groups/{id}/")).await.status, 204);
    // The answer comes when all of it is done, and seen everywhere.
    let assignment = |chat: &str| format!("chat_assignment/{chat}/");
    let is = json!({"wa_id": RUI, "assigned_to_user": agent.id, "assigned_group": null});
    assert_eq!(inbox.page(admin, &assignment(RUI)).await, is);
    assert!(inbox.page(admin, &assignment(ANA)).await["assigned_group"].is_null());
    assert_eq!(inbox.page(admin, &assignment(EVA)).await["assigned_group"], other);
    assert_eq!(inbox.count(of_users).await, moved + 2);
    for user in [agent, bot] {
        let shown = inbox.page(user, "users/current/").await;
        assert_eq!(column(&json!({"results": shown["groups"]}), "/name"), ["App integration"]);
    }
    // R-PERM-6: rights that came with the group are gone.
    assert_eq!((inbox.total(agent, "chats/").await, inbox.total(bot, "chats/").await), (1, 0));
    let page = inbox.page(admin, "chat_assignment_events/").await;
    assert_eq!(page["count"], events + 2);
    for event in &page["results"].as_array().unwrap()[..2] {
        assert_eq!((&event["assigned_group_was_cleared"], &event["done_by"]["id"]), (&json!(true), &json!(admin.id)));
        assert_eq!(
            (&event["assigned_to_user_was_cleared"], &event["assigned_to_user_set"]),
            (&json!(false), &json!(null))
        );
    }
    // R-ASG-13: the history still says which group it was.
    let history = inbox.page(admin, &format!("chat_assignment_events/?wa_id={ANA}")).await;
    assert_eq!(history["results"][1]["assigned_group_set"], group);
    for body in [json!({"assigned_group": id})] {
        inbox.assign(admin, ANA, body).await.expect(400);
    }
    inbox.patch(admin, &one(agent.id), json!({"groups": [{"id": id}]})).await.expect(400);
}

#[tokio::test]
async fn a_deletion_that_a_crash_cut_short_goes_on_at_the_next_start() {
    let inbox = Inbox::start().await;
    let admin = &inbox.admin;
    let id = inbox.post(admin, "groups/", json!({"name": "Billing"})).await.expect(201)["id"].clone();
    inbox.customer_writes(RUI, "Hello").await;
    inbox.delete(admin, &format!("groups/{id}/")).await;
    // As if a server had died between the deletion and the chat: an assignment that came at the same moment.
    let slipped = json!({"user_set": null, "user_cleared": false, "group_set": id, "group_cleared": false,
        "done_by": admin.id, "timestamp": 5});
    append(&inbox, RUI, &slipped).await;
    assert_eq!(inbox.page(admin, &format!("chat_assignment/{RUI}/")).await["assigned_group"], id);
    let other = inbox.beside().await;
    for _ in 0..400 {
        if other.page(admin, &format!("chat_assignment/{RUI}/")).await["assigned_group"].is_null() {
            let event = other.page(admin, "chat_assignment_events/").await["results"][0].clone();
            assert_eq!(
                (&event["assigned_group_was_cleared"], &event["done_by"]["id"]),
                (&json!(true), &json!(admin.id))
            );
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the chat stayed with a group that is no more");
}

/// Records that a chat was assigned, past every rule.
pub async fn append(inbox: &Inbox, chat: &str, assigned: &Value) {
    use chatledger_application::ports::ledger::{Cause, Ledger, Metadata, NewEvent, StreamId, Unit};
    use chatledger_domain::{AnyEvent, TenantId};
    let sequence =
        format!("SELECT max(sequence) FROM ledger.events WHERE aggregate_id = '{chat}' AND aggregate_type = 'Chat'");
    let event = AnyEvent::read("Chat", "ChatAssigned", "1", &assigned.to_string()).unwrap();
    let new = NewEvent {
        stream: StreamId { aggregate_type: "Chat", aggregate_id: chat.to_owned() },
        sequence: inbox.count(&sequence).await + 1,
        payload: event.payload().unwrap(),
        event,
        key: None,
        claims: Vec::new(),
        occurred_at: chrono::Utc::now(),
    };
    let actor = Cause::System { part: "test".to_owned() };
    let metadata = Metadata { actor, family: "test".to_owned(), correlation_id: "test".to_owned(), causation: None };
    let unit =
        Unit { tenant: TenantId(inbox.tenant), events: vec![new], relies_on: Vec::new(), metadata: metadata.into() };
    chatledger_infrastructure::postgres::PgLedger::new(inbox.pool.clone()).append(unit).await.unwrap();
    inbox.settle().await;
}
