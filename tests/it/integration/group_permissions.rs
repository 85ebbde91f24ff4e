//! Contract §D: what the members of groups may do.

use serde_json::{Value, json};

use super::{ANA, FORBIDDEN, NOBODY, RUI, keys, users::one};
use crate::harness::inbox::Inbox;

const PATH: &str = "settings/permissions/";

fn of(permissions: &Value, id: i64) -> Value {
    let groups = permissions["groups"].as_array().unwrap();
    groups.iter().find(|group| group["id"] == id).unwrap()["permissions"].clone()
}

#[tokio::test]
async fn r_perm_12_admins_read_and_set_what_groups_may_do() {
    let inbox = Inbox::start().await;
    let admin = &inbox.admin;
    let [admins, users, apps] =
        [inbox.group("Admin").await, inbox.group("Regular user").await, inbox.group("App integration").await];
    let answer = inbox.get(admin, PATH).await;
    assert_eq!(keys(&answer.text), "groups");
    let all = json!({"can_use_tags": true, "can_read_chats": "all", "can_write_to_chats": "all"});
    let user = json!({"can_use_tags": true, "can_read_chats": "all", "can_write_to_chats": "user"});
    let app = json!({"can_use_tags": true, "can_read_chats": "user", "can_write_to_chats": "user"});
    let settings = answer.expect(200);
    assert_eq!(
        settings,
        json!({"groups": [{"id": admins, "permissions": all}, {"id": users, "permissions": user},
            {"id": apps, "permissions": app}]})
    );
    // Sent back as it was, nothing changes, admins included.
    let before = inbox.count("SELECT count(*) FROM ledger.events").await;
    assert_eq!(inbox.put(admin, PATH, settings.clone()).await.expect(200), settings);
    assert_eq!(inbox.count("SELECT count(*) FROM ledger.events").await, before);
    let lowered = json!({"can_use_tags": false, "can_read_chats": "group", "can_write_to_chats": "none"});
    let body = json!({"groups": [{"id": users, "permissions": lowered}]});
    let now = inbox.put(admin, PATH, body).await.expect(200);
    assert_eq!((of(&now, users), of(&now, apps), of(&now, admins)), (lowered.clone(), app, all));
    assert_eq!(inbox.page(admin, PATH).await, now);
    assert_eq!(inbox.page(&inbox.agent, "users/current/").await["permissions"], lowered);
    for by in [&inbox.agent, &inbox.bot] {
        for answer in [inbox.get(by, PATH).await, inbox.put(by, PATH, json!({})).await] {
            assert_eq!((answer.status, answer.text.as_str()), (403, FORBIDDEN));
        }
    }
}

#[tokio::test]
async fn settings_that_do_not_fit_change_nothing() {
    let inbox = Inbox::start().await;
    let admin = &inbox.admin;
    let [admins, users] = [inbox.group("Admin").await, inbox.group("Regular user").await];
    let before = inbox.page(admin, PATH).await;
    let fine = json!({"id": users, "permissions": {"can_read_chats": "none"}});
    let groups = |text: &str| json!({"groups": [text], "reason": format!("groups: {text}")});
    let inside =
        |text: &str| json!({"groups": {"permissions": [text]}, "reason": format!("groups.permissions: {text}")});
    let choice = "\"some\" is not a valid choice.";
    for (body, wanted) in [
        (json!({}), groups("This field is required.")),
        (json!({"groups": null}), groups("This field may not be null.")),
        (json!({"groups": {}}), groups("Expected a list of items but got type \"dict\".")),
        (json!({"groups": [fine, 3]}), groups("Expected a dictionary of items but got type \"int\".")),
        (
            json!({"groups": [fine, {"id": 999_999, "permissions": {}}]}),
            groups("Invalid pk \"999999\" - object does not exist."),
        ),
        (json!({"groups": [fine, {"id": users}]}), inside("This field is required.")),
        (json!({"groups": [{"id": users, "permissions": null}]}), inside("This field may not be null.")),
        (
            json!({"groups": [fine, {"id": users, "permissions": {"can_read_chats": "some"}}]}),
            json!({"groups": {"permissions": {"can_read_chats": [choice]}},
                "reason": format!("groups.permissions.can_read_chats: {choice}")}),
        ),
        // R-PERM-2
        (
            json!({"groups": [fine, {"id": admins, "permissions": {"can_use_tags": false}}]}),
            json!({"reason": "The permissions of admins cannot be lowered."}),
        ),
    ] {
        assert_eq!(inbox.put(admin, PATH, body.clone()).await.expect(400), wanted, "{body}");
        assert_eq!(inbox.page(admin, PATH).await, before, "{body}");
    }
}

#[tokio::test]
async fn r_perm_4_the_most_permissive_group_counts() {
    let inbox = Inbox::start().await;
    let (admin, bot) = (&inbox.admin, &inbox.bot);
    let mut ids = vec![];
    for (name, read, write) in [("One", "group", "none"), ("Two", "none", "all")] {
        let permissions = json!({"can_read_chats": read, "can_write_to_chats": write});
        let body = json!({"name": name, "permissions": permissions});
        ids.push(json!({"id": inbox.post(admin, "groups/", body).await.expect(201)["id"]}));
    }
    let app = inbox.group("App integration").await;
    ids.push(json!({ "id": app }));
    let user = inbox.patch(admin, &one(bot.id), json!({ "groups": ids })).await.expect(200);
    let merged = json!({"can_use_tags": true, "can_read_chats": "group", "can_write_to_chats": "all"});
    assert_eq!(user["permissions"], merged);
    let path = format!("groups/{}/", ids[0]["id"]);
    inbox.patch(admin, &path, json!({"permissions": {"can_read_chats": "all"}})).await.expect(200);
    assert_eq!(inbox.page(bot, "users/current/").await["permissions"]["can_read_chats"], "all");
    assert_eq!(of(&inbox.page(admin, PATH).await, ids[0]["id"].as_i64().unwrap())["can_write_to_chats"], "none");
}

#[tokio::test]
async fn r_perm_5_and_6_a_group_opens_its_chats_while_one_is_in_it() {
    let inbox = Inbox::start().await;
    let (admin, bot) = (&inbox.admin, &inbox.bot);
    let permissions = json!({"can_read_chats": "group", "can_write_to_chats": "group"});
    let body = json!({"name": "Billing", "permissions": permissions});
    let billing = inbox.post(admin, "groups/", body).await.expect(201)["id"].clone();
    for chat in [RUI, ANA] {
        inbox.customer_writes(chat, "Hello").await;
    }
    inbox.assign(admin, RUI, json!({"assigned_group": billing})).await.expect(200);
    let send = async || {
        let body = json!({"wa_id": RUI, "type": "text", "text": {"body": "Hi"}});
        inbox.post(bot, "messages/", body).await.status
    };
    assert_eq!((inbox.total(bot, "chats/").await, send().await), (0, 403));
    let join = json!({"groups": [{"id": billing}, {"id": inbox.group("App integration").await}]});
    inbox.patch(admin, &one(bot.id), join).await.expect(200);
    assert_eq!((inbox.total(bot, "chats/").await, send().await), (1, 201));
    assert_eq!(inbox.get(bot, &format!("chats/{ANA}/")).await.status, 404);
    let leave = json!({"groups": [{"id": inbox.group("App integration").await}]});
    inbox.patch(admin, &one(bot.id), leave).await.expect(200);
    assert_eq!((inbox.total(bot, "chats/").await, send().await), (0, 403));
}

#[tokio::test]
async fn r_perm_11_whoever_may_write_nowhere_starts_no_chat_and_others_own_the_one_they_start() {
    let inbox = Inbox::start().await;
    let template = json!({"wa_id": NOBODY, "type": "template",
        "template": {"name": "hello_world", "language": {"code": "en_US"}}});
    let (admin, agent) = (&inbox.admin, &inbox.agent);
    inbox.allow(agent, "can_write_to_chats", "none").await;
    let answer = inbox.post(agent, "messages/", template.clone()).await;
    assert_eq!((answer.status, answer.text.as_str()), (403, FORBIDDEN));
    assert_eq!((inbox.total(admin, "chats/").await, inbox.total(admin, "messages/").await), (0, 0));
    for (at, scope) in ["user", "group"].into_iter().enumerate() {
        let chat = format!("35191200055{at}");
        inbox.allow(agent, "can_write_to_chats", scope).await;
        let mut body = template.clone();
        body["wa_id"] = json!(chat);
        inbox.post(agent, "messages/", body.clone()).await.expect(201);
        let page = inbox.page(admin, &format!("chat_assignment_events/?wa_id={chat}")).await;
        assert_eq!(page["count"], 1);
        let event = &page["results"][0];
        assert_eq!(
            (&event["assigned_to_user_set"]["id"], &event["done_by"]["id"]),
            (&json!(agent.id), &json!(agent.id))
        );
        inbox.post(agent, "messages/", body).await.expect(201);
        assert_eq!(inbox.total(admin, "chat_assignment_events/").await, i64::try_from(at).unwrap() + 1);
    }
    inbox.allow(agent, "can_write_to_chats", "all").await;
    inbox.post(agent, "messages/", template).await.expect(201);
    assert!(inbox.page(admin, &format!("chat_assignment/{NOBODY}/")).await["assigned_to_user"].is_null());
}
