//! Contract §K: message templates (R-TPL-1, R-TPL-2).

use std::time::Duration;

use serde_json::{Value, json};

use super::{FORBIDDEN, NOT_FOUND, RUI, column, credential, keys};
use crate::harness::inbox::{Inbox, now};

const KEYS: &str = "name category language components namespace rejected_reason status";
const NOT_AVAILABLE: &str = r#"{"reason":"Template management is not available."}"#;

fn body(text: &str) -> Value {
    json!([{"type": "BODY", "text": text}])
}

fn new(name: &str, language: &str) -> Value {
    json!({"name": name, "category": "UTILITY", "language": language, "components": body("Hi {{1}}, it is {{2}}")})
}

fn message(name: &str, language: &str, parameters: &[&str]) -> Value {
    let parameters: Vec<Value> = parameters.iter().map(|text| json!({"type": "text", "text": text})).collect();
    let components = json!([{"type": "body", "parameters": parameters}]);
    json!({"wa_id": RUI, "type": "template",
           "template": {"name": name, "language": {"code": language}, "components": components}})
}

/// Events of the catalogue.
async fn recorded(inbox: &Inbox) -> i64 {
    inbox.count("SELECT count(*) FROM ledger.events WHERE aggregate_type = 'TemplateCatalogue'").await
}

/// How often the simulator was asked a question about the account.
async fn asked(inbox: &Inbox, question: &str) -> i64 {
    let url = format!("{}/simulator/calls", inbox.simulator_url);
    let calls: Value = inbox.http.raw.get(url).send().await.expect("an answer").json().await.expect("JSON");
    calls[question].as_i64().unwrap_or_default()
}

/// Sets WhatsApp's whole list.
async fn at_whatsapp(inbox: &Inbox, templates: Value) {
    let url = format!("{}/simulator/templates", inbox.simulator_url);
    let answer = inbox.http.raw.post(url).json(&templates).send().await.expect("an answer");
    assert!(answer.status().is_success());
}

fn of_whatsapp(name: &str, language: &str, status: &str) -> Value {
    json!({"id": format!("{name}-{language}"), "name": name, "language": language, "category": "MARKETING",
           "status": status, "components": body("Hello")})
}

async fn refresh(inbox: &Inbox) {
    let answer = inbox.post(&inbox.agent, "templates/refresh/issue/", json!({})).await;
    assert_eq!((answer.status, answer.text.as_str()), (202, "{}"));
    for _ in 0..200 {
        let status = inbox.page(&inbox.agent, "templates/refresh/status/").await;
        if status == json!({"currently_refreshing": false}) {
            return;
        }
        assert_eq!(status, json!({"currently_refreshing": true}));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the refresh does not end");
}

/// The status of a template in the list.
async fn status(inbox: &Inbox, name: &str, language: &str) -> Option<String> {
    let page = inbox.page(&inbox.agent, "templates/").await;
    let rows = page["results"].as_array().expect("a list");
    let found = rows.iter().find(|row| row["name"] == name && row["language"] == language)?;
    found["status"].as_str().map(str::to_owned)
}

async fn until(inbox: &Inbox, name: &str, wanted: &str) {
    for _ in 0..200 {
        if status(inbox, name, "en").await.as_deref() == Some(wanted) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{name} is not {wanted}");
}

#[tokio::test]
async fn templates_are_listed_by_name_and_language_after_the_first_look() {
    let inbox = Inbox::start().await;
    let answer = inbox.get(&inbox.bot, "templates/").await;
    assert_eq!(keys(&answer.text), "count next previous results");
    let page = answer.expect(200);
    assert_eq!(column(&page, "/name"), ["hello_world", "ola", "order_update"]);
    let first = json!({
        "name": "hello_world", "category": "UTILITY", "language": "en_US",
        "components": body("Welcome and congratulations!"), "namespace": "simulated_namespace",
        "rejected_reason": "NONE", "status": "approved",
    });
    assert_eq!(page["results"][0], first);
    let text = inbox.get(&inbox.bot, "templates/?limit=1").await.text;
    assert_eq!(keys(&super::inside(&text, &["results", "0"])), KEYS);
    // Afterwards the kept list answers.
    inbox.page(&inbox.agent, "templates/").await;
    assert_eq!(asked(&inbox, "list templates").await, 1);
    at_whatsapp(&inbox, json!([of_whatsapp("b", "pt_PT", "PAUSED"), of_whatsapp("b", "en", "REJECTED")])).await;
    refresh(&inbox).await;
    let page = inbox.page(&inbox.agent, "templates/").await;
    assert_eq!((&page["count"], column(&page, "/language")), (&json!(2), vec![json!("en"), json!("pt_PT")]));
    assert_eq!(column(&page, "/status"), ["rejected", "paused"]);
}

#[tokio::test]
async fn a_long_list_is_read_whole() {
    let inbox = Inbox::start().await;
    let many: Vec<Value> = (0..450).map(|n| of_whatsapp(&format!("t{n:03}"), "en", "APPROVED")).collect();
    at_whatsapp(&inbox, json!(many)).await;
    let page = inbox.page(&inbox.agent, "templates/?limit=1000").await;
    assert_eq!((&page["count"], page["results"].as_array().unwrap().len()), (&json!(450), 450));
    assert_eq!(asked(&inbox, "list templates").await, 3);
}

#[tokio::test]
async fn an_unchanged_list_appends_nothing_and_a_changed_one_its_differences() {
    let inbox = Inbox::start().await;
    inbox.page(&inbox.agent, "templates/").await;
    let first = recorded(&inbox).await;
    assert_eq!(first, 3);
    refresh(&inbox).await;
    assert_eq!(recorded(&inbox).await, first);
    let (a, b) = (of_whatsapp("a", "en", "APPROVED"), of_whatsapp("b", "en", "PENDING"));
    at_whatsapp(&inbox, json!([a, b])).await;
    refresh(&inbox).await;
    assert_eq!(recorded(&inbox).await, first + 5);
    // A template of our own, once approved, is as WhatsApp lists it.
    inbox.post(&inbox.admin, "templates/", new("c", "en")).await.expect(201);
    until(&inbox, "c", "approved").await;
    let before = recorded(&inbox).await;
    refresh(&inbox).await;
    assert_eq!((recorded(&inbox).await, before), (before, first + 7));
}

#[tokio::test]
async fn without_whatsapp_and_a_list_503_and_with_a_list_the_list() {
    let inbox = Inbox::start().await;
    for account in
        [json!({"status": 503}), json!({"status": 502, "bare": true}), json!({"cut": true}), json!({"code": 190})]
    {
        inbox.behave(json!({"account": account})).await;
        let answer = inbox.get(&inbox.agent, "templates/").await;
        assert_eq!((answer.status, answer.text.as_str()), (503, NOT_AVAILABLE));
        assert_eq!(inbox.page(&inbox.agent, "templates/refresh/status/").await["currently_refreshing"], false);
    }
    inbox.behave(json!({"account": {}})).await;
    assert_eq!(inbox.total(&inbox.agent, "templates/").await, 3);
    inbox.behave(json!({"account": {"status": 503}})).await;
    refresh(&inbox).await;
    assert_eq!(inbox.total(&inbox.agent, "templates/").await, 3);
    // What would change something says so and changes nothing.
    let before = recorded(&inbox).await;
    for answer in [
        inbox.post(&inbox.admin, "templates/", new("a", "en")).await,
        inbox.delete(&inbox.admin, "templates/ola/").await,
    ] {
        assert_eq!((answer.status, answer.text.as_str()), (503, NOT_AVAILABLE));
    }
    assert_eq!(recorded(&inbox).await, before);
}

#[tokio::test]
async fn a_new_template_is_pending_until_whatsapp_says_otherwise() {
    let inbox = Inbox::start().await;
    inbox.page(&inbox.agent, "templates/").await;
    inbox.behave(json!({"template_delay_ms": 1_000})).await;
    let answer = inbox.post(&inbox.admin, "templates/", new("order_77", "en")).await;
    assert_eq!(keys(&answer.text), KEYS);
    let mut expected = new("order_77", "en");
    for (key, value) in [("namespace", "simulated_namespace"), ("rejected_reason", "NONE"), ("status", "pending")] {
        expected[key] = value.into();
    }
    assert_eq!(answer.expect(201), expected);
    assert_eq!(status(&inbox, "order_77", "en").await.as_deref(), Some("pending"));
    until(&inbox, "order_77", "approved").await;
    // Without a look at the list: the notice alone tells.
    assert_eq!(asked(&inbox, "list templates").await, 1);
    inbox.behave(json!({"template_verdict": "REJECTED", "template_delay_ms": 0})).await;
    let old = json!({"name": "order_78", "category": "SHIPPING_UPDATE", "language": "en", "components": body("x")});
    let made = inbox.post(&inbox.admin, "templates/", old).await.expect(201);
    assert_eq!(made["category"], "UTILITY");
    until(&inbox, "order_78", "rejected").await;
    let page = inbox.page(&inbox.agent, "templates/").await;
    let rejected = page["results"].as_array().unwrap().iter().find(|row| row["name"] == "order_78").unwrap();
    assert_eq!(rejected["rejected_reason"], "INVALID_FORMAT");
}

#[tokio::test]
async fn what_does_not_fit_a_template_or_whatsapp_is_refused() {
    let inbox = Inbox::start().await;
    let wrong = json!({"name": "Not So", "category": "NEWS", "components": [1]});
    let body = inbox.post(&inbox.admin, "templates/", wrong).await.expect(400);
    assert_eq!(
        body,
        json!({
            "name": ["This value does not match the required pattern."], "category": ["\"NEWS\" is not a valid choice."],
            "language": ["This field is required."],
            "components": {"0": ["Expected a dictionary of items but got type \"int\"."]},
            "reason": "name: This value does not match the required pattern.",
        })
    );
    assert_eq!(asked(&inbox, "create template").await, 0);
    // WhatsApp has one of this name.
    let taken = inbox.post(&inbox.admin, "templates/", new("ola", "pt_PT")).await.expect(400);
    assert_eq!(taken["reason"], "WhatsApp refused the request: Invalid parameter");
    let details = "There is already content in this language for this template.";
    assert_eq!(taken["waba_response"]["errors"][0]["details"], details);
    assert_eq!(recorded(&inbox).await, 0);
}

#[tokio::test]
async fn r_gen_4_a_form_creates_a_template_as_json_does() {
    let inbox = Inbox::start().await;
    let components = r#"[{"type":"BODY","text":"x"}]"#;
    let part =
        |name: &str, value: &str| format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    let multipart = [
        part("name", "b"),
        part("category", "UTILITY"),
        part("language", "en"),
        part("components", components),
        "--x--\r\n".to_owned(),
    ];
    let form =
        "name=a&category=UTILITY&language=en&components=%5B%7B%22type%22%3A%22BODY%22%2C%22text%22%3A%22x%22%7D%5D";
    for (content_type, body, name) in [
        ("application/x-www-form-urlencoded", form, "a"),
        ("multipart/form-data; boundary=x", multipart.concat().as_str(), "b"),
    ] {
        let headers = [("Content-Type", content_type), ("Authorization", &*credential(&inbox.admin))];
        let made = inbox.raw("POST", "templates/", &headers, body).await.expect(201);
        assert_eq!((&made["name"], &made["components"]), (&json!(name), &json!([{"type": "BODY", "text": "x"}])));
    }
}

#[tokio::test]
async fn a_template_is_deleted_in_all_languages() {
    let inbox = Inbox::start().await;
    at_whatsapp(&inbox, json!([of_whatsapp("a", "en", "APPROVED"), of_whatsapp("a", "pt_PT", "APPROVED")])).await;
    assert_eq!(inbox.total(&inbox.agent, "templates/").await, 2);
    let answer = inbox.delete(&inbox.admin, "templates/a/").await;
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    assert_eq!(inbox.total(&inbox.agent, "templates/").await, 0);
    for path in ["templates/a/", "templates/never/", "templates/NO/", "templates/a%2Fb/", "templates/%00/"] {
        let answer = inbox.delete(&inbox.admin, path).await;
        assert_eq!((answer.status, answer.text.as_str()), (404, NOT_FOUND), "{path}");
    }
    // The same name can be used again.
    inbox.post(&inbox.admin, "templates/", new("a", "en")).await.expect(201);
    assert_eq!(inbox.total(&inbox.agent, "templates/").await, 1);
    until(&inbox, "a", "approved").await;
}

#[tokio::test]
async fn r_tpl_1_a_template_cannot_be_edited() {
    let inbox = Inbox::start().await;
    for (answer, method) in [
        (inbox.put(&inbox.admin, "templates/ola/", new("ola", "pt_PT")).await, "PUT"),
        (inbox.patch(&inbox.admin, "templates/ola/", json!({})).await, "PATCH"),
    ] {
        assert_eq!(answer.headers["allow"], "DELETE");
        assert_eq!(answer.expect(405), json!({"detail": format!("Method \"{method}\" not allowed.")}));
    }
}

#[tokio::test]
async fn only_admins_create_and_delete_templates() {
    let inbox = Inbox::start().await;
    for by in [&inbox.agent, &inbox.bot] {
        for answer in [inbox.post(by, "templates/", new("a", "en")).await, inbox.delete(by, "templates/ola/").await] {
            assert_eq!((answer.status, answer.text.as_str()), (403, FORBIDDEN));
        }
    }
    assert_eq!(asked(&inbox, "create template").await + asked(&inbox, "delete template").await, 0);
}

#[tokio::test]
async fn a_second_refresh_does_not_start_while_one_runs_here_or_elsewhere() {
    let inbox = Inbox::start().await;
    let beside = inbox.beside().await;
    inbox.page(&inbox.agent, "templates/").await;
    assert_eq!(asked(&inbox, "list templates").await, 1);
    for simulator in [&inbox, &beside] {
        simulator.behave(json!({"account": {"delay_ms": 1_500}})).await;
    }
    let issue = async |server: &Inbox| {
        let answer = server.post(&inbox.agent, "templates/refresh/issue/", json!({})).await;
        assert_eq!(answer.status, 202, "{}", answer.text);
    };
    issue(&inbox).await;
    for server in [&inbox, &beside] {
        issue(server).await;
        let status = server.get(&inbox.agent, "templates/refresh/status/").await.expect(200);
        assert_eq!(status, json!({"currently_refreshing": true}));
    }
    for server in [&inbox, &beside] {
        while server.get(&inbox.agent, "templates/refresh/status/").await.expect(200)["currently_refreshing"] == true {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    assert_eq!(asked(&inbox, "list templates").await + asked(&beside, "list templates").await, 2);
}

#[tokio::test]
async fn a_refresh_of_a_dead_server_is_taken_over() {
    let inbox = Inbox::start().await;
    inbox.page(&inbox.agent, "templates/").await;
    let dead =
        |seconds: i64| format!("UPDATE outbound.refreshes SET lease_until = now() + make_interval(secs => {seconds})");
    sqlx::query(&dead(60)).execute(&inbox.pool).await.expect("the database answers");
    let status = inbox.page(&inbox.agent, "templates/refresh/status/").await;
    assert_eq!(status, json!({"currently_refreshing": true}));
    inbox.post(&inbox.agent, "templates/refresh/issue/", json!({})).await.expect(202);
    assert_eq!(asked(&inbox, "list templates").await, 1);
    sqlx::query(&dead(-1)).execute(&inbox.pool).await.expect("the database answers");
    refresh(&inbox).await;
    assert_eq!(asked(&inbox, "list templates").await, 2);
}

#[tokio::test]
async fn r_tpl_2_what_is_not_approved_is_refused_before_whatsapp_is_asked() {
    let inbox = Inbox::start().await;
    let templates = [of_whatsapp("good", "en", "APPROVED"), of_whatsapp("late", "en", "PENDING")];
    at_whatsapp(&inbox, json!(templates)).await;
    let send =
        async |name: &str, language: &str| inbox.post(&inbox.admin, "messages/", message(name, language, &[])).await;
    // Nobody has looked yet: WhatsApp decides.
    send("unknown", "en").await.expect(201);
    inbox.page(&inbox.agent, "templates/").await;
    for (name, language, reason) in [
        ("unknown", "en", "There is no template unknown in the language en."),
        ("good", "pt_PT", "There is no template good in the language pt_PT."),
        ("late", "en", "The template late in the language en is not approved: it is pending."),
    ] {
        assert_eq!(send(name, language).await.expect(400), json!({"reason": reason}));
    }
    send("good", "en").await.expect(201);
    assert_eq!(inbox.delivered().await["count"], 2);
    assert_eq!(inbox.count("SELECT count(*) FROM ledger.events WHERE event_type = 'MessageQueued'").await, 2);
    // A notice is as good as a list.
    let notice = json!({"object": "whatsapp_business_account", "entry": [{"id": "200000000000001", "time": now(),
        "changes": [{"field": "message_template_status_update", "value": {
            "event": "APPROVED", "message_template_id": "late-en", "message_template_name": "late",
            "message_template_language": "en", "reason": "NONE"}}]}]});
    assert_eq!(inbox.deliver(&notice.to_string()).await.status, 200);
    inbox.settle().await;
    send("late", "en").await.expect(201);
    // A list of more than 24 hours ago refuses nothing.
    let old = "UPDATE outbound.refreshes SET refreshed_at = now() - make_interval(hours => $1, secs => 5)";
    sqlx::query(old).bind(24).execute(&inbox.pool).await.expect("the database answers");
    send("unknown", "en").await.expect(201);
    sqlx::query(old).bind(23).execute(&inbox.pool).await.expect("the database answers");
    send("unknown", "en").await.expect(400);
}

#[tokio::test]
async fn r_tpl_2_validation_and_permissions_come_first() {
    let inbox = Inbox::start().await;
    inbox.page(&inbox.agent, "templates/").await;
    inbox.customer_writes(RUI, "Hello").await;
    let unnamed = json!({"wa_id": RUI, "type": "template", "template": {"language": {"code": "en"}}});
    let body = inbox.post(&inbox.agent, "messages/", unnamed).await.expect(400);
    assert!(body["template"].is_object(), "{body}");
    // The chat is nobody's, so the agent may not write.
    let answer = inbox.post(&inbox.agent, "messages/", message("unknown", "en", &[])).await;
    assert_eq!((answer.status, answer.text.as_str()), (403, FORBIDDEN));
}

#[tokio::test]
async fn r_msg_3_a_sent_template_is_found_by_what_the_customer_reads() {
    let inbox = Inbox::start().await;
    inbox.page(&inbox.agent, "templates/").await;
    inbox.post(&inbox.admin, "messages/", message("order_update", "en", &["Rui", "77-B"])).await.expect(201);
    inbox.settle().await;
    for (search, found) in [("rui%2C%20YOUR%20order%2077-b%20is%20on", 1), ("%7B%7B1%7D%7D", 0), ("order_update", 0)] {
        assert_eq!(inbox.total(&inbox.admin, &format!("messages/?search={search}")).await, found, "{search}");
    }
    // What was read then is found, whatever the template says later.
    at_whatsapp(&inbox, json!([])).await;
    refresh(&inbox).await;
    assert_eq!(inbox.total(&inbox.admin, "messages/?search=is%20on%20its%20way").await, 1);
    assert_eq!(inbox.total(&inbox.admin, "templates/").await, 0);
}

#[tokio::test]
async fn r_gen_1_each_tenant_has_its_own_templates() {
    let inbox = Inbox::start().await;
    inbox.page(&inbox.agent, "templates/").await;
    inbox.add_tenant("other", "other.example", "100000000000777").await;
    let eva = inbox.add_user_to("other", "eva", chatledger_domain::Role::Admin).await;
    // Its number's business account is not known, so WhatsApp cannot be asked.
    let answer = inbox.get(&eva, "templates/").await;
    assert_eq!((answer.status, answer.text.as_str()), (503, NOT_AVAILABLE));
    assert_eq!(inbox.delete(&eva, "templates/ola/").await.status, 503);
    assert_eq!(inbox.total(&inbox.agent, "templates/").await, 3);
}
