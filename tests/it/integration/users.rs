//! Contract §E: who creates, changes and lists users.

use std::collections::BTreeSet;

use chatledger_api::bootstrap::Login;
use chatledger_domain::Role;
use serde_json::{Value, json};

use super::{FORBIDDEN, NOT_FOUND, column, credential, keys};
use crate::harness::inbox::Inbox;

const TAKEN: &str = "A user with that username already exists.";

pub fn one(user: impl std::fmt::Display) -> String {
    format!("users/{user}/")
}

/// What is told of one field.
fn told(field: &str, message: &str) -> Value {
    json!({field: [message], "reason": format!("{field}: {message}")})
}

#[tokio::test]
async fn r_usr_1_and_2_an_admin_creates_a_user_and_is_shown_the_activation_url_once() {
    let inbox = Inbox::start().await;
    let body = json!({"username": "Ines", "first_name": " Inês ", "last_name": "Mota", "email": "ines@acme.example",
        "profile": {"role": "app"}});
    let answer = inbox.post(&inbox.admin, "users/", body).await;
    assert_eq!(
        keys(&answer.text),
        "url id username first_name last_name email profile groups permissions activation_url"
    );
    let made = answer.expect(201);
    let group = inbox.group("App integration").await;
    let id = made["id"].as_i64().unwrap();
    let mut user = json!({
        "url": inbox.http.url(&one(id)), "id": id, "username": "Ines", "first_name": "Inês", "last_name": "Mota",
        "email": "ines@acme.example",
        "profile": {"role": "app", "is_available": true, "avatar": null, "large_avatar": null},
        "groups": [{"id": group, "name": "App integration"}],
        "permissions": {"can_use_tags": true, "can_read_chats": "user", "can_write_to_chats": "user"},
    });
    assert_eq!(inbox.get(&inbox.agent, &one(id)).await.expect(200), user);
    assert_eq!(inbox.page(&inbox.agent, "users/").await["results"][3], user);
    let url = made["activation_url"].as_str().unwrap();
    let code = url.strip_prefix(&inbox.http.url("users/activate/")).unwrap().strip_suffix('/').unwrap();
    assert!(code.len() >= 32 && code.bytes().all(|b| b.is_ascii_hexdigit()), "{code}");
    user["activation_url"] = json!(url);
    assert_eq!(made, user);
    // The code is nowhere but in the answer: neither in events nor, as it is, in the vault.
    let in_events = format!("SELECT count(*) FROM ledger.events WHERE payload::text LIKE '%{code}%'");
    assert_eq!(inbox.count(&in_events).await, 0);
    let sql = format!("SELECT count(*) FROM vault.activation_codes WHERE position('{code}'::bytea IN code_hash) = 0");
    assert_eq!(inbox.count(&sql).await, 1);
    for by in [&inbox.agent, &inbox.bot] {
        let answer = inbox.post(by, "users/", json!({"username": "rui"})).await;
        assert_eq!((answer.status, answer.text.as_str()), (403, FORBIDDEN));
    }
    let answer = inbox.post(&inbox.agent, "users/", json!({})).await;
    assert_eq!(answer.status, 403, "whoever may not create learns nothing of fields");
}

#[tokio::test]
async fn a_new_user_is_a_regular_one_unless_told_otherwise() {
    let inbox = Inbox::start().await;
    let made = inbox.post(&inbox.admin, "users/", json!({"username": "rui"})).await.expect(201);
    assert_eq!((&made["profile"]["role"], &made["groups"][0]["name"]), (&json!("user"), &json!("Regular user")));
    assert_eq!((&made["first_name"], &made["last_name"], &made["email"]), (&json!(""), &json!(""), &json!("")));
    let boss = json!({"username": "boss", "profile": {"role": "admin"}});
    let made = inbox.post(&inbox.admin, "users/", boss).await.expect(201);
    assert_eq!((&made["profile"]["role"], &made["groups"][0]["name"]), (&json!("admin"), &json!("Admin")));
}

#[tokio::test]
async fn bodies_of_users_that_do_not_fit_are_told_field_by_field() {
    let inbox = Inbox::start().await;
    let long = "x".repeat(151);
    let required = "This field is required.";
    let pattern = "This value does not match the required pattern.";
    let email = "Enter a valid email address.";
    let more = "Ensure this field has no more than 150 characters.";
    for (body, wanted) in [
        (json!({}), told("username", required)),
        (json!({"username": null}), told("username", "This field may not be null.")),
        (json!({"username": " "}), told("username", "This field may not be blank.")),
        (json!({"username": ["a"]}), told("username", "Not a valid string.")),
        (json!({"username": "a\u{0}"}), told("username", "Null characters are not allowed.")),
        (json!({"username": long}), told("username", more)),
        (json!({"username": "in es"}), told("username", pattern)),
        (json!({"username": "inês"}), told("username", pattern)),
        (json!({"username": "ines@acme"}), told("username", pattern)),
        (json!({"username": "AGENT"}), told("username", TAKEN)),
        (json!({"username": "a", "first_name": long}), told("first_name", more)),
        (json!({"username": "a", "last_name": long}), told("last_name", more)),
        (json!({"username": "a", "last_name": null}), told("last_name", "This field may not be null.")),
        (json!({"username": "a", "email": "a"}), told("email", email)),
        (json!({"username": "a", "email": "a b@c.pt"}), told("email", email)),
        (
            json!({"username": "a", "profile": {"role": "boss"}}),
            json!({"profile": {"role": ["\"boss\" is not a valid choice."]},
                   "reason": "profile.role: \"boss\" is not a valid choice."}),
        ),
        (
            json!({"username": "a", "profile": {"role": 1}}),
            json!({"profile": {"role": ["\"1\" is not a valid choice."]},
                   "reason": "profile.role: \"1\" is not a valid choice."}),
        ),
        (
            json!({"username": "a", "profile": "app"}),
            told("profile", "Expected a dictionary of items but got type \"str\"."),
        ),
    ] {
        assert_eq!(inbox.post(&inbox.admin, "users/", body.clone()).await.expect(400), wanted, "{body}");
    }
    let several = json!({"email": "a", "first_name": 1.5, "profile": {}});
    let body = inbox.post(&inbox.admin, "users/", several).await.expect(400);
    assert_eq!(body, json!({"username": [required], "email": [email], "reason": "username: This field is required."}));
    assert_eq!(inbox.total(&inbox.admin, "users/").await, 3);
    let fits = json!({"username": "x".repeat(150), "first_name": "é".repeat(150), "email": ""});
    inbox.post(&inbox.admin, "users/", fits).await.expect(201);
}

#[tokio::test]
async fn r_gen_4_users_are_created_and_changed_by_forms_too() {
    let inbox = Inbox::start().await;
    let token = credential(&inbox.admin);
    let form = [("authorization", token.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    let body = "username=ines&first_name=In%C3%AAs&email=&profile=%7B%22role%22%3A%22app%22%7D";
    let made = inbox.raw("POST", "users/", &form, body).await.expect(201);
    assert_eq!((&made["first_name"], &made["profile"]["role"]), (&json!("Inês"), &json!("app")));
    let multipart = [("authorization", token.as_str()), ("content-type", "multipart/form-data; boundary=x")];
    let part =
        |name: &str, value: &str| format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    let body = [part("username", "rui"), part("profile", r#"{"role":"admin"}"#), "--x--\r\n".to_owned()].concat();
    let made = inbox.raw("POST", "users/", &multipart, &body).await.expect(201);
    assert_eq!(made["profile"]["role"], "admin");
    let billing = inbox.post(&inbox.admin, "groups/", json!({"name": "Billing"})).await.expect(201)["id"].clone();
    let body = [
        part("groups", &format!(r#"[{{"id":{billing}}}]"#)),
        part("permissions", r#"{"can_read_chats":"none"}"#),
        "--x--\r\n".to_owned(),
    ]
    .concat();
    let changed = inbox.raw("PATCH", &one(inbox.agent.id), &multipart, &body).await.expect(200);
    assert_eq!(changed["permissions"]["can_read_chats"], "none");
    assert_eq!(changed["groups"][1]["name"], "Billing");
    let refused = inbox.raw("POST", "users/", &form, "username=x&profile=admin").await.expect(400);
    assert_eq!(refused, told("profile", "Value must be valid JSON."));
}

#[tokio::test]
async fn read_only_fields_are_ignored() {
    let inbox = Inbox::start().await;
    let group = inbox.group("Admin").await;
    let read_only = json!({"url": "https://evil.example/", "id": 1, "activation_url": "x", "is_active": true,
        "token": "x", "password": "x", "activated": true, "is_superuser": true, "tenant": "other"});
    let mut body = read_only.clone();
    body.as_object_mut().unwrap().extend([
        ("username".to_owned(), json!("ines")),
        ("profile".to_owned(), json!({"is_available": false, "avatar": "a", "large_avatar": "b"})),
        // Of a user to be, these are not asked.
        ("groups".to_owned(), json!([{"id": group}])),
        ("permissions".to_owned(), json!({"can_write_to_chats": "all"})),
    ]);
    let made = inbox.post(&inbox.admin, "users/", body).await.expect(201);
    let user = inbox.page(&inbox.admin, &one(&made["id"])).await;
    assert_eq!(user["url"], json!(inbox.http.url(&one(&made["id"]))));
    assert_eq!(user["profile"], json!({"role": "user", "is_available": true, "avatar": null, "large_avatar": null}));
    assert_eq!((&user["groups"][0]["name"], user["groups"].as_array().unwrap().len()), (&json!("Regular user"), 1));
    assert_eq!(user["permissions"]["can_write_to_chats"], "user");
    let before = inbox.count("SELECT count(*) FROM ledger.events").await;
    let mut body = read_only;
    body["profile"] = json!({"is_available": false, "avatar": "a"});
    assert_eq!(inbox.patch(&inbox.admin, &one(&made["id"]), body).await.expect(200), user);
    assert_eq!(inbox.count("SELECT count(*) FROM ledger.events").await, before, "nothing changed, nothing is recorded");
}

#[tokio::test]
async fn r_usr_1_a_user_changes_itself_and_an_admin_everybody() {
    let inbox = Inbox::start().await;
    let (agent, bot) = (&inbox.agent, &inbox.bot);
    let name = json!({"first_name": "Ana", "last_name": "Silva", "email": "ana@acme.example", "username": "ana"});
    let user = inbox.patch(agent, &one(agent.id), name.clone()).await.expect(200);
    for key in ["first_name", "last_name", "email", "username"] {
        assert_eq!(user[key], name[key], "{key}");
    }
    assert_eq!(inbox.page(bot, &one(agent.id)).await, user);
    // The token stays, and the new name logs in with the old password.
    let log_in = json!({"username": "ANA", "password": agent.password});
    assert_eq!(inbox.post(agent, "auth/token/", log_in).await.expect(200)["token"], agent.token);
    let old = json!({"username": "agent", "password": agent.password});
    inbox.post(agent, "auth/token/", old).await.expect(400);
    // The name that was given up is free, and one that is taken is not.
    inbox.post(&inbox.admin, "users/", json!({"username": "agent"})).await.expect(201);
    let taken = inbox.patch(agent, &one(agent.id), json!({"username": "BOT"})).await.expect(400);
    assert_eq!(taken, told("username", TAKEN));
    inbox.patch(agent, &one(agent.id), json!({"username": "Ana"})).await.expect(200);
    for (by, id) in [(bot, agent.id), (agent, inbox.admin.id), (agent, bot.id)] {
        for answer in [
            inbox.patch(by, &one(id), json!({"first_name": "X"})).await,
            inbox.patch(by, &one(id), json!({"username": "?"})).await,
            inbox.put(by, &one(id), json!({})).await,
            inbox.patch(by, &format!("users/{id}/availability/"), json!({"is_available": false})).await,
        ] {
            assert_eq!((answer.status, answer.text.as_str()), (403, FORBIDDEN));
        }
    }
    // Whether there is such a user is told to admins only.
    for id in ["999999", "0", "x"] {
        assert_eq!(inbox.patch(agent, &one(id), json!({})).await.status, 403, "{id}");
        let answer = inbox.patch(&inbox.admin, &one(id), json!({})).await;
        assert_eq!((answer.status, answer.text.as_str()), (404, NOT_FOUND), "{id}");
    }
    let user = inbox.patch(&inbox.admin, &one(bot.id), json!({"last_name": ""})).await.expect(200);
    assert_eq!(user["last_name"], "");
}

#[tokio::test]
async fn put_wants_four_fields_and_takes_back_what_get_gave() {
    let inbox = Inbox::start().await;
    let agent = &inbox.agent;
    let required = json!(["This field is required."]);
    let told = inbox.put(agent, &one(agent.id), json!({})).await.expect(400);
    for field in ["username", "email", "groups", "permissions"] {
        assert_eq!(told[field], required, "{field}");
    }
    assert_eq!(told.as_object().unwrap().len(), 5, "{told}");
    for by in [agent, &inbox.admin] {
        let user = inbox.page(by, &one(agent.id)).await;
        let before = inbox.count("SELECT count(*) FROM ledger.events").await;
        assert_eq!(inbox.put(by, &one(agent.id), user.clone()).await.expect(200), user);
        assert_eq!(inbox.count("SELECT count(*) FROM ledger.events").await, before);
    }
    let mut user = inbox.page(agent, &one(agent.id)).await;
    user["first_name"] = json!("Bea");
    assert_eq!(inbox.put(agent, &one(agent.id), user.clone()).await.expect(200), user);
    // What is not required and absent stays.
    let short = json!({"username": "agent", "email": "", "groups": user["groups"], "permissions": {}});
    user["email"] = json!("");
    assert_eq!(inbox.put(agent, &one(agent.id), short).await.expect(200), user);
}

#[tokio::test]
async fn r_perm_12_role_groups_and_permissions_are_for_admins() {
    let inbox = Inbox::start().await;
    let (agent, admins) = (&inbox.agent, inbox.group("Admin").await);
    let before = inbox.page(agent, &one(agent.id)).await;
    for body in [
        json!({"profile": {"role": "admin"}}),
        json!({"groups": [{"id": admins}]}),
        json!({"groups": []}).to_owned(),
        json!({"permissions": {"can_write_to_chats": "all"}}),
        json!({"permissions": {"can_use_tags": false}}),
        // One refused part refuses the whole.
        json!({"first_name": "X", "permissions": {"can_read_chats": "user"}}),
    ] {
        let answer = inbox.patch(agent, &one(agent.id), body.clone()).await;
        let stays = body == json!({"groups": []});
        // A regular user without groups is still a regular user.
        assert_eq!(answer.status, if stays { 200 } else { 403 }, "{body}: {}", answer.text);
    }
    assert_eq!(inbox.page(agent, &one(agent.id)).await, before);
    let same = json!({"profile": {"role": "user"}, "groups": before["groups"], "permissions": before["permissions"]});
    assert_eq!(inbox.patch(agent, &one(agent.id), same).await.expect(200), before);
}

#[tokio::test]
async fn r_perm_1_a_role_moves_a_user_between_the_built_in_groups_and_back() {
    let inbox = Inbox::start().await;
    let agent = &inbox.agent;
    let billing = inbox.post(&inbox.admin, "groups/", json!({"name": "Billing"})).await.expect(201)["id"].clone();
    let names = |user: &Value| -> BTreeSet<String> {
        user["groups"].as_array().unwrap().iter().map(|group| group["name"].as_str().unwrap().to_owned()).collect()
    };
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    let change = async |body: Value| inbox.patch(&inbox.admin, &one(agent.id), body).await.expect(200);
    let user = change(json!({"groups": [{"id": billing}]})).await;
    assert_eq!((names(&user), &user["profile"]["role"]), (set(&["Billing", "Regular user"]), &json!("user")));
    let user = change(json!({"profile": {"role": "admin"}})).await;
    assert_eq!((names(&user), &user["profile"]["role"]), (set(&["Billing", "Admin"]), &json!("admin")));
    // R-PERM-2: whatever its groups say.
    assert_eq!(
        user["permissions"],
        json!({"can_use_tags": true, "can_read_chats": "all", "can_write_to_chats": "all"})
    );
    inbox.patch(agent, &one(inbox.bot.id), json!({"first_name": "An admin now"})).await.expect(200);
    let app = inbox.group("App integration").await;
    let user = change(json!({"groups": [{"id": app}, {"id": billing}]})).await;
    assert_eq!((names(&user), &user["profile"]["role"]), (set(&["Billing", "App integration"]), &json!("app")));
    let user = change(json!({"profile": {"role": "user"}, "groups": [{"id": app}]})).await;
    assert_eq!((names(&user), &user["profile"]["role"]), (set(&["Regular user"]), &json!("user")));
    let unknown = "Invalid pk \"999999\" - object does not exist.";
    let user_id = inbox.admin.id.0;
    for (groups, told_of) in [
        (json!([{"id": 999_999}]), unknown.to_owned()),
        (json!([{"id": "999999"}]), unknown.to_owned()),
        (json!([{"id": user_id}]), format!("Invalid pk \"{user_id}\" - object does not exist.")),
        (json!([{"id": -1}]), "Invalid pk \"-1\" - object does not exist.".to_owned()),
        (json!([{"id": 1.5}]), "Incorrect type. Expected pk value, received float.".to_owned()),
        (json!([{"id": null}]), "Incorrect type. Expected pk value, received NoneType.".to_owned()),
        (json!([{}]), "This field is required.".to_owned()),
        (json!([3]), "Expected a dictionary of items but got type \"int\".".to_owned()),
        (json!("x"), "Expected a list of items but got type \"str\".".to_owned()),
        (json!({"id": 3}), "Expected a list of items but got type \"dict\".".to_owned()),
        (json!(null), "This field may not be null.".to_owned()),
    ] {
        let body = inbox.patch(&inbox.admin, &one(agent.id), json!({"groups": groups})).await.expect(400);
        assert_eq!(body, told("groups", &told_of), "{groups}");
    }
}

#[tokio::test]
async fn r_perm_4_a_users_own_permissions_win_until_they_are_left_to_its_groups() {
    let inbox = Inbox::start().await;
    let agent = &inbox.agent;
    let change = async |body: Value| {
        let body = json!({ "permissions": body });
        inbox.patch(&inbox.admin, &one(agent.id), body).await.expect(200)["permissions"].clone()
    };
    let lowered = json!({"can_use_tags": false, "can_read_chats": "group", "can_write_to_chats": "none"});
    assert_eq!(change(lowered.clone()).await, lowered);
    assert_eq!(inbox.page(agent, "users/current/").await["permissions"], lowered);
    let left = json!({"can_use_tags": null, "can_read_chats": null, "can_write_to_chats": null});
    let default = json!({"can_use_tags": true, "can_read_chats": "all", "can_write_to_chats": "user"});
    assert_eq!(change(left).await, default);
    // What is in effect already is not kept as the user's own: the group goes on deciding.
    assert_eq!(change(default.clone()).await, default);
    let group = inbox.group("Regular user").await;
    let body = json!({"groups": [{"id": group, "permissions": {"can_read_chats": "user"}}]});
    inbox.put(&inbox.admin, "settings/permissions/", body).await.expect(200);
    assert_eq!(inbox.page(agent, "users/current/").await["permissions"]["can_read_chats"], "user");
    let wrong = json!({"permissions": {"can_use_tags": "maybe", "can_read_chats": "mine", "can_write_to_chats": 1}});
    assert_eq!(
        inbox.patch(&inbox.admin, &one(agent.id), wrong).await.expect(400),
        json!({"permissions": {"can_use_tags": ["Must be a valid boolean."],
            "can_read_chats": ["\"mine\" is not a valid choice."],
            "can_write_to_chats": ["\"1\" is not a valid choice."]},
            "reason": "permissions.can_use_tags: Must be a valid boolean."})
    );
    for wrong in [json!([]), json!("all"), json!(null)] {
        inbox.patch(&inbox.admin, &one(agent.id), json!({"permissions": wrong})).await.expect(400);
    }
}

#[tokio::test]
async fn r_perm_2_admins_cannot_be_lowered() {
    let inbox = Inbox::start().await;
    let lower = json!({"permissions": {"can_use_tags": false}});
    let told = inbox.patch(&inbox.admin, &one(inbox.admin.id), lower.clone()).await.expect(400);
    assert_eq!(told, json!({"reason": "The permissions of admins cannot be lowered."}));
    let mut body = lower;
    body["profile"] = json!({"role": "admin"});
    inbox.patch(&inbox.admin, &one(inbox.agent.id), body).await.expect(400);
    assert_eq!(inbox.page(&inbox.agent, "users/current/").await["profile"]["role"], "user");
    let same = json!({"permissions": {"can_use_tags": true, "can_read_chats": "all", "can_write_to_chats": "all"}});
    inbox.patch(&inbox.admin, &one(inbox.admin.id), same).await.expect(200);
}

#[tokio::test]
async fn availability_is_the_users_own_or_an_admins_to_say() {
    let inbox = Inbox::start().await;
    let (agent, path) = (&inbox.agent, format!("users/{}/availability", inbox.agent.id));
    let shown = async || inbox.page(&inbox.bot, &one(agent.id)).await["profile"]["is_available"].clone();
    for (by, available) in [(agent, false), (&inbox.admin, true)] {
        let said = inbox.patch(by, &path, json!({"is_available": available})).await;
        assert_eq!(said.expect(200), json!({"is_available": available}));
        assert_eq!(shown().await, available);
    }
    for (body, message) in [
        (json!({}), "This field is required."),
        (json!({"is_available": "soon"}), "Must be a valid boolean."),
        (json!({"is_available": null}), "This field may not be null."),
    ] {
        assert_eq!(inbox.patch(agent, &path, body).await.expect(400), told("is_available", message));
    }
    assert_eq!(
        inbox.patch(&inbox.admin, "users/999999/availability/", json!({"is_available": true})).await.status,
        404
    );
}

#[tokio::test]
async fn r_gen_1_users_and_groups_of_another_tenant_are_unknown() {
    let inbox = Inbox::start().await;
    inbox.add_tenant("other", "other.example", "555").await;
    let stranger = inbox.add_user_to("other", "boss", Role::Admin).await;
    let admin: &Login = &inbox.admin;
    let group = column(&inbox.page(admin, "groups/").await, "/id");
    let body = json!({"username": "x", "email": "", "groups": [], "permissions": {}, "is_available": true,
        "password": "a good password", "name": "x"});
    // Positions of the two ledgers overlap: only ids beyond the shorter one are foreign for certain.
    let foreign = inbox.count("SELECT max(position)::bigint FROM ledger.events").await;
    assert!(foreign > stranger.id.0);
    let host = |token: &str| [("authorization", format!("Token {token}")), ("content-type", "application/json".into())];
    for (method, path) in [
        ("GET", "users/{}/"),
        ("PUT", "users/{}/"),
        ("PATCH", "users/{}/"),
        ("DELETE", "users/{}/"),
        ("PATCH", "users/{}/availability/"),
        ("PUT", "users/{}/password/change/"),
        ("PATCH", "groups/{}/"),
        ("DELETE", "groups/{}/"),
    ] {
        let headers = host(&stranger.token);
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = inbox.raw(method, &path.replace("{}", &foreign.to_string()), &headers, &body.to_string()).await;
        assert_eq!((answer.status, answer.text.as_str()), (404, NOT_FOUND), "{method} {path}");
    }
    assert_eq!(column(&inbox.page(admin, "groups/").await, "/id"), group);
}
