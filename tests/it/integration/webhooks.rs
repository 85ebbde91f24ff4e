//! Contract §J: webhooks of users.

use chatledger_api::bootstrap::Login;
use chatledger_domain::Role;
use serde_json::{Value, json};

use super::{NOT_FOUND, column, credential, keys};
use crate::harness::inbox::Inbox;

const URL: &str = "http://127.0.0.1:18080/hook?auth=s3cr3t";
const LIST: &str = "webhooks/waba/";

impl Inbox {
    /// A user registers a webhook; it.
    async fn hook(&self, by: &Login) -> Value {
        self.post(by, LIST, json!({ "url": URL })).await.expect(201)
    }
}

fn path(webhook: &Value) -> String {
    format!("{LIST}{}/", webhook["id"])
}

#[tokio::test]
async fn r_whk_1_a_user_has_one_webhook_and_it_is_its_own() {
    let inbox = Inbox::start().await;
    let answer = inbox.post(&inbox.agent, LIST, json!({"url": URL, "user": inbox.admin.id.0, "id": 1})).await;
    assert_eq!(keys(&answer.text), "id user url on_incoming_message on_outgoing_message on_assigned headers");
    let made = answer.expect(201);
    let link = format!("{}/api/v1/users/{}/", inbox.http.base_url, inbox.agent.id);
    let expected = json!({
        "id": made["id"], "user": {"id": inbox.agent.id.0, "username": "agent", "url": link}, "url": URL,
        "on_incoming_message": true, "on_outgoing_message": false, "on_assigned": false, "headers": {}
    });
    assert_eq!(made, expected);
    let told = inbox.post(&inbox.agent, LIST, json!({ "url": URL })).await.expect(400);
    let text = "You already have a webhook.";
    assert_eq!(told, json!({"reason": text, "non_field_errors": [text]}));
    // Whatever an admin writes, the webhook is its own.
    let of_admin = inbox.post(&inbox.admin, LIST, json!({"url": URL, "user": inbox.bot.id.0})).await.expect(201);
    assert_eq!(of_admin["user"]["username"], "admin");
    inbox.hook(&inbox.bot).await;
    assert_eq!(inbox.page(&inbox.agent, LIST).await["results"], json!([expected]));
    let all = inbox.page(&inbox.admin, LIST).await;
    assert_eq!(
        (&all["count"], column(&all, "/user/username")),
        (&json!(3), vec![json!("agent"), json!("admin"), json!("bot")])
    );
    let second = inbox.page(&inbox.admin, "webhooks/waba/?limit=1&offset=1").await;
    assert_eq!((&second["count"], column(&second, "/user/username")), (&json!(3), vec![json!("admin")]));
    let next = format!("{}/api/v1/webhooks/waba/?limit=1&offset=2", inbox.http.base_url);
    assert_eq!(second["next"], next);
    let beside = inbox.beside().await;
    assert_eq!(beside.page(&inbox.agent, LIST).await["results"][0]["url"], URL);
}

#[tokio::test]
async fn r_whk_1_holds_under_parallel_registrations() {
    let inbox = Inbox::start().await;
    let beside = inbox.beside().await;
    for round in 0..5 {
        let body = || json!({ "url": URL });
        let answers = tokio::join!(
            inbox.post(&inbox.bot, LIST, body()),
            beside.post(&inbox.bot, LIST, body()),
            inbox.post(&inbox.bot, LIST, body()),
            beside.post(&inbox.bot, LIST, body()),
        );
        let mut statuses = [answers.0, answers.1, answers.2, answers.3].map(|answer| answer.status);
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 400, 400, 400], "round {round}");
        let page = inbox.page(&inbox.bot, LIST).await;
        assert_eq!(page["count"], 1);
        assert_eq!(inbox.delete(&inbox.bot, &path(&page["results"][0])).await.status, 204);
    }
    assert_eq!(inbox.count("SELECT count(*) FROM vault.sealed").await, 0, "nothing is left in the vault");
}

#[tokio::test]
async fn r_whk_2_a_registration_has_its_place_in_the_ledger() {
    let inbox = Inbox::start().await;
    inbox.customer_writes(super::RUI, "before").await;
    let before = inbox.count("SELECT head_position FROM ledger.heads").await;
    let id = inbox.hook(&inbox.agent).await["id"].as_i64().expect("a number");
    assert!(id > before);
    let sql = format!(
        "SELECT count(*) FROM ledger.events WHERE position = {id} AND event_type = 'WebhookRegistered'
         AND (payload ->> 'user')::bigint = {}",
        inbox.agent.id
    );
    assert_eq!(inbox.count(&sql).await, 1);
    // A change does not move it.
    let path = format!("{LIST}{id}/");
    assert_eq!(inbox.patch(&inbox.agent, &path, json!({"on_assigned": true})).await.expect(200)["id"], id);
}

#[tokio::test]
async fn r_whk_3_after_a_deletion_the_user_may_register_again() {
    let inbox = Inbox::start().await;
    let first = inbox.hook(&inbox.agent).await;
    assert_eq!(inbox.delete(&inbox.agent, &path(&first)).await.status, 204);
    for answer in [
        inbox.get(&inbox.agent, &path(&first)).await,
        inbox.delete(&inbox.agent, &path(&first)).await,
        inbox.patch(&inbox.agent, &path(&first), json!({})).await,
    ] {
        assert_eq!((answer.status, answer.text.as_str()), (404, NOT_FOUND));
    }
    assert_eq!(inbox.total(&inbox.admin, LIST).await, 0);
    let second = inbox.hook(&inbox.agent).await;
    assert!(second["id"].as_i64() > first["id"].as_i64());
    // An admin may delete it as well.
    assert_eq!(inbox.delete(&inbox.admin, &path(&second)).await.status, 204);
    assert_eq!(inbox.count("SELECT count(*) FROM vault.sealed").await, 0, "its address is forgotten");
}

#[tokio::test]
async fn a_webhook_is_changed_by_its_user_and_admins() {
    let inbox = Inbox::start().await;
    let made = inbox.hook(&inbox.agent).await;
    let path = path(&made);
    let headers = json!({"Authorization": "Bearer x", "X-Key": "y"});
    let put = json!({"url": "https://127.0.0.1/other", "headers": headers, "on_outgoing_message": true});
    let changed = inbox.put(&inbox.agent, &path, put).await.expect(200);
    assert_eq!((&changed["url"], &changed["headers"]), (&json!("https://127.0.0.1/other"), &headers));
    assert_eq!(changed["on_outgoing_message"], true);
    let patched = inbox.patch(&inbox.admin, &path, json!({"on_incoming_message": false})).await.expect(200);
    assert_eq!((&patched["url"], &patched["headers"]), (&changed["url"], &headers));
    assert_eq!((&patched["on_incoming_message"], &patched["on_outgoing_message"]), (&json!(false), &json!(true)));
    assert_eq!(patched["user"]["username"], "agent", "the admin's change leaves it the user's");
    let patched = inbox.patch(&inbox.agent, &path, json!({"headers": {"X-Key": "z"}})).await.expect(200);
    assert_eq!((&patched["url"], &patched["headers"]), (&changed["url"], &json!({"X-Key": "z"})));
    let patched = inbox.patch(&inbox.agent, &path, json!({"headers": null, "url": URL})).await.expect(200);
    assert_eq!((&patched["url"], &patched["headers"]), (&json!(URL), &json!({})));
    assert_eq!(inbox.get(&inbox.agent, &path).await.expect(200), patched);
    assert_eq!(inbox.get(&inbox.admin, &path).await.expect(200), patched);
    // The same again is no change.
    let events = "SELECT count(*) FROM ledger.events WHERE aggregate_type = 'WebhookSubscription'";
    let before = inbox.count(events).await;
    assert_eq!(inbox.put(&inbox.agent, &path, json!({ "url": URL })).await.expect(200), patched);
    assert_eq!(inbox.patch(&inbox.agent, &path, json!({})).await.expect(200), patched);
    assert_eq!(inbox.count(events).await, before);
    // Only what stands is kept.
    assert_eq!(inbox.count("SELECT count(*) FROM vault.sealed").await, 1);
}

#[tokio::test]
async fn a_webhook_of_somebody_else_is_as_unknown_as_none() {
    let inbox = Inbox::start().await;
    inbox.add_tenant("other", "other.example", "5555").await;
    let stranger = inbox.add_user_to("other", "stranger", Role::Admin).await;
    let made = inbox.hook(&inbox.admin).await;
    let paths = [path(&made), format!("{LIST}999999/"), format!("{LIST}1/"), format!("{LIST}x/"), format!("{LIST}-1/")];
    for by in [&inbox.agent, &inbox.bot, &stranger] {
        for path in &paths {
            for (method, body) in [
                ("GET", ""),
                ("DELETE", ""),
                ("PUT", r#"{"url":"https://127.0.0.1/"}"#),
                ("PUT", "{}"),
                ("PATCH", r#"{"on_assigned":true}"#),
            ] {
                let headers = [("Authorization", &*credential(by)), ("Content-Type", "application/json")];
                let answer = inbox.raw(method, path, &headers, body).await;
                assert_eq!((answer.status, answer.text.as_str()), (404, NOT_FOUND), "{} {method} {path}", by.username);
            }
        }
        assert_eq!(inbox.total(by, LIST).await, 0);
    }
    assert_eq!(inbox.get(&inbox.admin, &path(&made)).await.expect(200), made);
}

#[tokio::test]
async fn a_form_registers_as_json_does() {
    let inbox = Inbox::start().await;
    let authorization = credential(&inbox.bot);
    let form = "url=http%3A%2F%2F127.0.0.1%3A18080%2Fhook%3Fauth%3Ds3cr3t&on_assigned=true&on_incoming_message=0\
                &headers=%7B%22X-Key%22%3A%22v%22%7D";
    let headers = [("Authorization", &*authorization), ("Content-Type", "application/x-www-form-urlencoded")];
    let made = inbox.raw("POST", LIST, &headers, form).await.expect(201);
    assert_eq!((&made["url"], &made["headers"]), (&json!(URL), &json!({"X-Key": "v"})));
    assert_eq!((&made["on_assigned"], &made["on_incoming_message"]), (&json!(true), &json!(false)));
    let boundary = [("Authorization", &*authorization), ("Content-Type", "multipart/form-data; boundary=b")];
    let part = "--b\r\nContent-Disposition: form-data; name=\"on_assigned\"\r\n\r\nfalse\r\n--b--\r\n";
    assert_eq!(inbox.raw("PATCH", &path(&made), &boundary, part).await.expect(200)["on_assigned"], false);
}

#[tokio::test]
async fn what_does_not_fit_is_told_by_field_and_changes_nothing() {
    let inbox = Inbox::start().await;
    let made = inbox.hook(&inbox.agent).await;
    let events = inbox.count("SELECT count(*) FROM ledger.events").await;
    let cases = [
        (json!({}), "url", "This field is required."),
        (json!({"url": null}), "url", "This field may not be null."),
        (json!({"url": ""}), "url", "This field may not be blank."),
        (json!({"url": []}), "url", "Not a valid string."),
        (json!({"url": "http://127.0.0.1/\u{0}"}), "url", "Null characters are not allowed."),
        (json!({"url": "no address"}), "url", "Enter a valid URL."),
        (json!({"url": 5}), "url", "Enter a valid URL."),
        (
            json!({"url": format!("http://127.0.0.1/{}", "a".repeat(2_000))}),
            "url",
            "Ensure this field has no more than 2000 characters.",
        ),
        (json!({"url": URL, "on_assigned": "maybe"}), "on_assigned", "Must be a valid boolean."),
        (json!({"url": URL, "on_assigned": null}), "on_assigned", "This field may not be null."),
        (json!({"url": URL, "headers": []}), "headers", "Expected a dictionary of items but got type \"list\"."),
        (json!({"url": URL, "headers": {"a b": ""}}), "headers", "\"a b\" is not a valid header name."),
        (json!({"url": URL, "headers": {"Host": "x"}}), "headers", "The header \"Host\" cannot be set."),
        (
            json!({"url": URL, "headers": {"x": "a\r\nHost: b"}}),
            "headers",
            "The value of the header \"x\" is not valid.",
        ),
    ];
    for (body, field, text) in cases {
        for answer in [
            inbox.post(&inbox.bot, LIST, body.clone()).await,
            inbox.put(&inbox.agent, &path(&made), body.clone()).await,
        ] {
            let told = answer.expect(400);
            assert_eq!(told[field], json!([text]), "{body}");
            assert_eq!(told["reason"], format!("{field}: {text}"), "{body}");
        }
    }
    assert_eq!(inbox.post(&inbox.bot, LIST, json!([])).await.status, 400);
    assert_eq!(inbox.count("SELECT count(*) FROM ledger.events").await, events);
    assert_eq!(inbox.get(&inbox.agent, &path(&made)).await.expect(200), made);
    assert_eq!(inbox.count("SELECT count(*) FROM vault.sealed").await, 1);
}
