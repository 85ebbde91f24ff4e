//! Contract §K: who decides on assignments, and the rules.

use chatledger_domain::Role;
use reqwest::Method;
use serde_json::{Value, json};

use super::{FORBIDDEN, NOT_FOUND, column, credential, keys};
use crate::harness::inbox::Inbox;

const ENGINE: &str = "settings/rule_engine/";
const RULES: &str = "settings/rule_engine/rules/";

impl Inbox {
    /// The admin adds a rule; its id.
    async fn rule(&self, rule: Value) -> i64 {
        self.post(&self.admin, RULES, rule).await.expect(201)["id"].as_i64().expect("a number")
    }
}

#[tokio::test]
async fn the_mode_is_set_with_an_address_where_one_is_needed() {
    let inbox = Inbox::start().await;
    let admin = &inbox.admin;
    let answer = inbox.get(admin, ENGINE).await;
    assert_eq!(answer.text, r#"{"mode":"default","url":null,"headers":{}}"#);
    let custom = json!({"mode": "custom", "url": "https://127.0.0.1/engine?key=x", "headers": {"Authorization": "y"}});
    assert_eq!(inbox.put(admin, ENGINE, custom.clone()).await.expect(200), custom);
    assert_eq!(inbox.get(admin, ENGINE).await.expect(200), custom);
    let events = "SELECT count(*) FROM ledger.events WHERE event_type = 'RuleEngineConfigured'";
    assert_eq!(inbox.put(admin, ENGINE, custom.clone()).await.expect(200), custom);
    assert_eq!(inbox.count(events).await, 1, "the same again is no change");
    for (body, field, text) in [
        (json!({}), "mode", "This field is required."),
        (json!({"mode": "both"}), "mode", "\"both\" is not a valid choice."),
        (json!({"mode": "custom"}), "url", "This field is required."),
        (json!({"mode": "custom", "url": null}), "url", "This field may not be null."),
        (json!({"mode": "custom", "url": "x"}), "url", "Enter a valid URL."),
        (json!({"mode": "default", "url": "x"}), "url", "Enter a valid URL."),
        (
            json!({"mode": "custom", "url": "https://127.0.0.1/", "headers": {"Host": "x"}}),
            "headers",
            "The header \"Host\" cannot be set.",
        ),
    ] {
        let told = inbox.put(admin, ENGINE, body.clone()).await.expect(400);
        assert_eq!(told[field][0], text, "{body}");
        assert!(told["reason"].is_string(), "{body}");
    }
    assert_eq!(inbox.get(admin, ENGINE).await.expect(200), custom);
    assert_eq!(inbox.count("SELECT count(*) FROM vault.sealed").await, 1);
    let default = inbox.put(admin, ENGINE, json!({"mode": "default"})).await.expect(200);
    assert_eq!(default, json!({"mode": "default", "url": null, "headers": {}}));
    assert_eq!(inbox.count("SELECT count(*) FROM vault.sealed").await, 0);
}

#[tokio::test]
async fn rules_are_kept_in_order_and_changed_whole_or_in_part() {
    let inbox = Inbox::start().await;
    let (admin, tag) = (&inbox.admin, inbox.tag("Agent needed").await);
    let (group, bot) = (inbox.group("Regular user").await, inbox.bot.id.0);
    let answer = inbox.post(admin, RULES, json!({"assign_to_user": bot, "group_assign_method": "round_robin"})).await;
    assert_eq!(keys(&answer.text), "id tagged_with assign_to_user assign_to_group group_assign_method position");
    let first = answer.expect(201);
    assert_eq!(
        first,
        json!({"id": first["id"], "tagged_with": null, "assign_to_user": bot, "assign_to_group": null,
        "group_assign_method": null, "position": 1})
    );
    let second = json!({"tagged_with": tag, "assign_to_group": group, "group_assign_method": "let_group_decide"});
    let second = inbox.post(admin, RULES, second).await.expect(201);
    assert_eq!((&second["position"], &second["tagged_with"]), (&json!(2), &json!(tag)), "the last unless told");
    let third = inbox.rule(json!({"assign_to_user": bot, "position": 1})).await;
    let page = inbox.page(admin, RULES).await;
    assert_eq!(page["count"], 3);
    // By position, then id.
    assert_eq!(column(&page, "/id"), [first["id"].clone(), json!(third), second["id"].clone()]);
    let part = inbox.page(admin, "settings/rule_engine/rules/?limit=1&offset=1").await;
    assert_eq!((&part["count"], column(&part, "/id")), (&json!(3), vec![json!(third)]));
    let path = format!("{RULES}{third}/");
    let patched = inbox.patch(admin, &path, json!({"position": 9})).await.expect(200);
    assert_eq!((&patched["position"], &patched["assign_to_user"]), (&json!(9), &json!(bot)));
    let to_group = json!({"assign_to_user": null, "assign_to_group": group, "group_assign_method": "round_robin"});
    let patched = inbox.patch(admin, &path, to_group).await.expect(200);
    assert_eq!((&patched["assign_to_user"], &patched["assign_to_group"]), (&Value::Null, &json!(group)));
    let patched = inbox.patch(admin, &path, json!({"tagged_with": tag})).await.expect(200);
    assert_eq!((&patched["tagged_with"], &patched["group_assign_method"]), (&json!(tag), &json!("round_robin")));
    let events = "SELECT count(*) FROM ledger.events WHERE event_type = 'RuleChanged'";
    let before = inbox.count(events).await;
    assert_eq!(inbox.patch(admin, &path, json!({})).await.expect(200), patched);
    assert_eq!(inbox.count(events).await, before, "the same again is no change");
    // PUT is whole but for the place.
    let put = inbox.put(admin, &path, json!({"assign_to_user": bot})).await.expect(200);
    assert_eq!(
        (&put["tagged_with"], &put["assign_to_group"], &put["position"]),
        (&Value::Null, &Value::Null, &json!(9))
    );
    assert_eq!(inbox.delete(admin, &path).await.status, 204);
    for answer in [inbox.delete(admin, &path).await, inbox.patch(admin, &path, json!({})).await] {
        assert_eq!((answer.status, answer.text.as_str()), (404, NOT_FOUND));
    }
    assert_eq!(inbox.total(admin, RULES).await, 2);
    let form = "tagged_with=&assign_to_user=&assign_to_group=2&group_assign_method=round_robin&position=4";
    let form = form.replace("=2&", &format!("={group}&"));
    let headers = [("Authorization", &*credential(admin)), ("Content-Type", "application/x-www-form-urlencoded")];
    let made = inbox.raw("POST", RULES, &headers, &form).await.expect(201);
    assert_eq!((&made["assign_to_group"], &made["position"]), (&json!(group), &json!(4)));
}

#[tokio::test]
async fn a_rule_that_does_not_fit_is_refused() {
    let inbox = Inbox::start().await;
    let (admin, tag, group) = (&inbox.admin, inbox.tag("vip").await, inbox.group("Admin").await);
    let bot = inbox.bot.id.0;
    let one = "Set exactly one of assign_to_user and assign_to_group.";
    let pk = |id: i64| format!("Invalid pk \"{id}\" - object does not exist.");
    let choice = "\"x\" is not a valid choice.".to_owned();
    let cases = [
        (json!({}), "non_field_errors", one.to_owned()),
        (json!({"tagged_with": tag}), "non_field_errors", one.to_owned()),
        (
            json!({"assign_to_user": bot, "assign_to_group": group, "group_assign_method": "round_robin"}),
            "non_field_errors",
            one.to_owned(),
        ),
        (json!({"assign_to_user": bot, "assign_to_group": group}), "non_field_errors", one.to_owned()),
        (json!({"assign_to_group": group}), "group_assign_method", "This field is required.".to_owned()),
        (json!({"assign_to_group": group, "group_assign_method": "x"}), "group_assign_method", choice.clone()),
        (json!({"assign_to_user": bot, "group_assign_method": "x"}), "group_assign_method", choice),
        (json!({"assign_to_user": 999_999}), "assign_to_user", pk(999_999)),
        // What stands there is no user, no group, no tag.
        (json!({"assign_to_user": tag}), "assign_to_user", pk(tag)),
        (json!({"assign_to_group": bot, "group_assign_method": "round_robin"}), "assign_to_group", pk(bot)),
        (json!({"assign_to_user": bot, "tagged_with": bot}), "tagged_with", pk(bot)),
        (json!({"assign_to_user": bot, "tagged_with": -1}), "tagged_with", pk(-1)),
        (json!({"assign_to_user": "x"}), "assign_to_user", "A valid integer is required.".to_owned()),
        (
            json!({"assign_to_user": bot, "position": 0}),
            "position",
            "Ensure this value is greater than or equal to 1.".to_owned(),
        ),
        (json!({"assign_to_user": bot, "position": 1.5}), "position", "A valid integer is required.".to_owned()),
    ];
    let id = inbox.rule(json!({"assign_to_user": bot})).await;
    let before = inbox.page(admin, RULES).await;
    for (body, field, text) in cases {
        for answer in [
            inbox.post(admin, RULES, body.clone()).await,
            inbox.put(admin, &format!("{RULES}{id}/"), body.clone()).await,
        ] {
            let told = answer.expect(400);
            assert_eq!(told[field], json!([text]), "{body}");
            assert!(told["reason"].is_string(), "{body}");
        }
    }
    let told = inbox.patch(admin, &format!("{RULES}{id}/"), json!({"assign_to_group": group})).await.expect(400);
    assert_eq!(told["non_field_errors"], json!([one]), "it has a user still");
    assert_eq!(inbox.page(admin, RULES).await, before);
}

#[tokio::test]
async fn a_rule_goes_on_naming_a_tag_that_is_deleted() {
    let inbox = Inbox::start().await;
    let (admin, tag) = (&inbox.admin, inbox.tag("vip").await);
    let id = inbox.rule(json!({"tagged_with": tag, "assign_to_user": inbox.bot.id.0})).await;
    assert_eq!(inbox.delete(admin, &format!("tags/{tag}/")).await.status, 204);
    let path = format!("{RULES}{id}/");
    // Not null: that would make it a rule of fresh messages.
    assert_eq!(column(&inbox.page(admin, RULES).await, "/tagged_with"), [json!(tag)]);
    assert_eq!(inbox.patch(admin, &path, json!({"position": 5})).await.expect(200)["tagged_with"], tag);
    let again = json!({"tagged_with": tag, "assign_to_user": inbox.bot.id.0});
    assert!(inbox.post(admin, RULES, again).await.expect(400)["tagged_with"].is_array());
}

#[tokio::test]
async fn the_rule_engine_is_for_admins_of_its_own_inbox() {
    let inbox = Inbox::start().await;
    inbox.add_tenant("other", "other.example", "5555").await;
    let stranger = inbox.add_user_to("other", "stranger", Role::Admin).await;
    let id = inbox.rule(json!({"assign_to_user": inbox.bot.id.0})).await;
    inbox.put(&inbox.admin, ENGINE, json!({"mode": "custom", "url": "https://127.0.0.1/"})).await.expect(200);
    let path = format!("{RULES}{id}/");
    let rule = || Some(json!({"assign_to_user": inbox.bot.id.0}));
    for (method, path, body) in [
        (Method::GET, ENGINE, None),
        (Method::PUT, ENGINE, Some(json!({"mode": "default"}))),
        (Method::GET, RULES, None),
        (Method::POST, RULES, rule()),
        (Method::PUT, &*path, rule()),
        (Method::PATCH, &*path, rule()),
        (Method::DELETE, &*path, None),
    ] {
        for by in [&inbox.agent, &inbox.bot] {
            let answer = inbox.http.call(method.clone(), path, Some(&by.token), body.clone()).await;
            assert_eq!((answer.status, answer.text.as_str()), (403, FORBIDDEN), "{method} {path}");
        }
    }
    for (method, path) in [(Method::PUT, &*path), (Method::PATCH, &*path), (Method::DELETE, &*path)] {
        let answer = inbox.http.call(method, path, Some(&stranger.token), rule()).await;
        assert_eq!((answer.status, answer.text.as_str()), (404, NOT_FOUND));
    }
    assert_eq!(inbox.total(&stranger, RULES).await, 0);
    assert_eq!(inbox.get(&stranger, ENGINE).await.expect(200)["mode"], "default");
    let foreign = json!({"assign_to_user": inbox.bot.id.0});
    assert!(inbox.post(&stranger, RULES, foreign).await.expect(400)["assign_to_user"].is_array());
    assert_eq!(inbox.total(&inbox.admin, RULES).await, 1);
}
