//! Contract §E: users and groups.

use chatledger_domain::Role;
use serde_json::{Value, json};

use super::{NOT_FOUND, column, inside, keys};
use crate::harness::inbox::Inbox;

const USER_KEYS: &str = "url id username first_name last_name email profile groups permissions";

#[tokio::test]
async fn users_current_is_the_whole_user() {
    let inbox = Inbox::start().await;
    let group = inbox.group("Regular user").await;
    let answer = inbox.get(&inbox.agent, "users/current/").await;
    assert_eq!(keys(&answer.text), USER_KEYS);
    assert_eq!(keys(&inside(&answer.text, &["profile"])), "role is_available avatar large_avatar");
    assert_eq!(keys(&inside(&answer.text, &["permissions"])), "can_use_tags can_read_chats can_write_to_chats");
    assert_eq!(keys(&inside(&answer.text, &["groups", "0"])), "id name");
    assert_eq!(
        answer.expect(200),
        json!({
            "url": inbox.http.url(&format!("users/{}/", inbox.agent.id)), "id": inbox.agent.id, "username": "agent",
            "first_name": "Ines", "last_name": "Mota", "email": "agent@demo.example",
            "profile": {"role": "user", "is_available": true, "avatar": null, "large_avatar": null},
            "groups": [{"id": group, "name": "Regular user"}],
            "permissions": {"can_use_tags": true, "can_read_chats": "all", "can_write_to_chats": "user"},
        })
    );
}

#[tokio::test]
async fn users_are_listed_by_id_to_everybody() {
    let inbox = Inbox::start().await;
    let late = inbox.add_user("aaron", Role::User).await;
    let answer = inbox.get(&inbox.bot, "users/").await;
    assert_eq!(keys(&answer.text), "count next previous results");
    assert_eq!(keys(&inside(&answer.text, &["results", "0"])), USER_KEYS);
    let page = answer.expect(200);
    assert_eq!(page["count"], 4);
    assert_eq!(column(&page, "/username"), ["admin", "agent", "bot", "aaron"]);
    let ids: Vec<i64> = column(&page, "/id").iter().filter_map(Value::as_i64).collect();
    assert!(ids.is_sorted() && ids.len() == 4, "{ids:?}");
    for user in page["results"].as_array().unwrap() {
        assert_eq!(inbox.get(&inbox.bot, &format!("users/{}/", user["id"])).await.expect(200), *user);
    }
    assert_eq!(page["results"][3]["id"], late.id.0);
    for id in ["999999", "0", "-1", "x", "99999999999999999999", "1.0"] {
        let answer = inbox.get(&inbox.agent, &format!("users/{id}/")).await;
        assert_eq!((answer.status, answer.text.as_str()), (404, NOT_FOUND), "{id}");
    }
}

#[tokio::test]
async fn users_may_be_asked_for_5000_at_a_time_and_groups_for_1000() {
    let inbox = Inbox::start().await;
    let previous = async |path: &str| inbox.page(&inbox.agent, path).await["previous"].clone();
    let link = |path: &str| json!(inbox.http.url(path));
    assert_eq!(previous("users/?limit=5000&offset=5001").await, link("users/?limit=5000&offset=1"));
    assert_eq!(previous("users/?limit=5001&offset=5001").await, link("users/?limit=5000&offset=1"));
    assert_eq!(previous("users/?offset=101").await, link("users/?limit=100&offset=1"));
    assert_eq!(previous("groups/?limit=5000&offset=1001").await, link("groups/?limit=1000&offset=1"));
}

#[tokio::test]
async fn r_perm_1_three_groups_exist_and_give_the_role() {
    let inbox = Inbox::start().await;
    let answer = inbox.get(&inbox.bot, "groups/").await;
    assert_eq!(keys(&inside(&answer.text, &["results", "0"])), "id name");
    let page = answer.expect(200);
    assert_eq!(column(&page, "/name"), ["Admin", "Regular user", "App integration"]);
    let ids: Vec<i64> = column(&page, "/id").iter().filter_map(Value::as_i64).collect();
    assert!(ids.is_sorted() && page["count"] == 3, "{page}");
    let users = inbox.page(&inbox.agent, "users/").await;
    assert_eq!(column(&users, "/profile/role"), ["admin", "user", "app"]);
    assert_eq!(column(&users, "/groups/0/name"), ["Admin", "Regular user", "App integration"]);
    // R-PERM-2 and R-PERM-3: what each may do.
    let all = json!({"can_use_tags": true, "can_read_chats": "all", "can_write_to_chats": "all"});
    let user = json!({"can_use_tags": true, "can_read_chats": "all", "can_write_to_chats": "user"});
    let app = json!({"can_use_tags": true, "can_read_chats": "user", "can_write_to_chats": "user"});
    assert_eq!(column(&users, "/permissions"), [all, user, app]);
}
