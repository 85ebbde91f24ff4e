//! Contract §A and the errors that are the same everywhere.

use chatledger_api::route_table;
use serde_json::{Value, json};

use super::{ANA, EVA, FORBIDDEN, NOBODY, NOT_FOUND, NOT_PROVIDED, RUI, credential};
use crate::harness::{
    http::Answer,
    inbox::{Inbox, now},
};

const JSON: (&str, &str) = ("Content-Type", "application/json");
const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

/// The method and path of each endpoint of the family.
fn endpoints() -> Vec<(&'static str, String)> {
    let table = route_table()
        .into_iter()
        .filter(|route| route.path.starts_with("/api/v1/") && !route.path.starts_with("/api/v1/whatsapp/"));
    table.map(|route| (route.method, route.path.to_owned())).collect()
}

#[tokio::test]
async fn r_gen_3_every_get_answers_alike_with_and_without_the_slash() {
    let inbox = Inbox::start().await;
    let message = inbox.customer_writes(RUI, "Hello").await;
    let tag = inbox.tag("vip").await;
    let of_message = inbox.tag_message(tag, &message).await;
    let of_chat = inbox.tag_chat(inbox.tag("new").await, RUI).await;
    inbox.give(RUI, &inbox.agent).await;
    let mut asked = 0;
    for (method, path) in endpoints() {
        if method != "GET" {
            continue;
        }
        let id = match path.as_str() {
            path if path.contains("/chat_tagging/") => of_chat,
            path if path.contains("/message_tagging/") => of_message,
            _ => inbox.admin.id.0,
        };
        let path = path.replace("{wa_id}", RUI).replace("{id}", &id.to_string());
        let path = path.replace("{user}", &inbox.admin.id.0.to_string()).replace("{tag}", &tag.to_string());
        // Which plugin is not said.
        let expected = match path.as_str() {
            path if path.ends_with("/plugins/public/") => 400,
            path if path.ends_with("/webhooks/waba/") => 200,
            // There is none.
            path if ["/photo/", "/media/", "/activate/", "/webhooks/waba/"].iter().any(|none| path.contains(none)) => {
                404
            }
            _ => 200,
        };
        let slashed = inbox.get(&inbox.admin, &path).await;
        let bare = inbox.get(&inbox.admin, path.trim_end_matches('/')).await;
        assert_eq!((slashed.status, bare.status), (expected, expected), "{path}: {} {}", slashed.text, bare.text);
        assert_eq!(slashed.text, bare.text, "{path}");
        asked += 1;
    }
    assert!(asked >= 16, "{asked}");
}

#[tokio::test]
async fn r_gen_3_every_write_is_served_without_the_slash() {
    let inbox = Inbox::start().await;
    let admin = &inbox.admin;
    let message = inbox.customer_writes(RUI, "Hello").await;
    let tag = inbox.post(admin, "tags", json!({"name": "vip"})).await.expect(201)["id"].clone();
    inbox.patch(admin, &format!("tags/{tag}"), json!({"name": "VIP"})).await.expect(200);
    let made = inbox.post(admin, "message_tagging", json!({"tag": tag, "message": message})).await.expect(201);
    assert_eq!(inbox.delete(admin, &format!("message_tagging/{}", made["id"])).await.status, 204);
    let page = inbox.page(admin, "chats").await;
    let tagging = &page["results"][0]["tags"][0]["tagging_id"];
    assert_eq!(inbox.delete(admin, &format!("chat_tagging/{tagging}")).await.status, 204);
    inbox.post(admin, "chat_tagging", json!({"tag": tag, "chat": RUI})).await.expect(201);
    let path = format!("chat_assignment/{RUI}");
    inbox.put(admin, &path, json!({"assigned_to_user": inbox.agent.id})).await.expect(200);
    inbox.patch(admin, &path, json!({"assigned_to_user": null})).await.expect(200);
    inbox.post(admin, "mark_as_received", json!({"timestamp": now(), "customer_wa_id": RUI})).await.expect(201);
    assert_eq!(inbox.delete(admin, &format!("tags/{tag}")).await.status, 204);
}

#[tokio::test]
async fn r_gen_4_a_form_and_multipart_write_as_json_does() {
    let inbox = Inbox::start().await;
    let tag = inbox.tag("vip").await;
    for chat in [RUI, ANA, EVA] {
        inbox.customer_writes(chat, "Hello").await;
    }
    let part =
        |name: &str, value: &str| format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    let extra = r#"{"source": {"n": 1.50}}"#;
    let multipart =
        [part("tag", &tag.to_string()), part("chat", EVA), part("extra", extra), "--x--\r\n".to_owned()].concat();
    let form = format!("tag={tag}&chat=%2B351+912-000-222&extra=%7B%22source%22%3A+%7B%22n%22%3A+1.50%7D%7D");
    let sent = [
        (RUI, "application/json; charset=utf-8", format!(r#"{{"tag":{tag},"chat":"{RUI}","extra":{extra}}}"#)),
        (ANA, "application/x-www-form-urlencoded", form),
        (EVA, "multipart/form-data; boundary=x", multipart),
    ];
    for (chat, content_type, body) in sent {
        let headers = [("Content-Type", content_type), ("Authorization", &*credential(&inbox.agent))];
        let answer = inbox.raw("POST", "chat_tagging/", &headers, &body).await;
        assert_eq!(answer.status, 201, "{content_type}: {}", answer.text);
        let expected = format!(r#""tag":{tag},"chat":"{chat}","extra":{extra}}}"#);
        assert!(answer.text.ends_with(&expected), "{}", answer.text);
    }
    assert_eq!(inbox.total(&inbox.agent, &format!("chats/?chat_tag_id={tag}")).await, 3);
    // Nothing else is read.
    for (content_type, told) in [("text/csv", "text/csv"), ("Text/Plain; charset=utf-8", "text/plain")] {
        let headers = [("Content-Type", content_type), ("Authorization", &*credential(&inbox.agent))];
        let answer = inbox.raw("POST", "tags/", &headers, "name,vip2").await;
        assert_eq!(answer.status, 415);
        assert_eq!(answer.text, format!(r#"{{"detail":"Unsupported media type \"{told}\" in request."}}"#));
    }
    assert_eq!(inbox.total(&inbox.agent, "tags/").await, 1);
}

#[tokio::test]
async fn r_gen_5_8_9_and_11_what_every_answer_and_request_has() {
    let inbox = Inbox::start().await;
    // R-GEN-5, in answers and in errors.
    let too_many = json!({"name": "x".repeat(1_001)});
    let answers: [Answer; 6] = [
        inbox.get(&inbox.agent, "users/current/").await,
        inbox.get(&inbox.agent, "chats/1/").await,
        inbox.get(&inbox.agent, "nothing/").await,
        inbox.put(&inbox.agent, "tags/", json!({})).await,
        inbox.post(&inbox.agent, "tags/", too_many).await,
        inbox.raw("GET", "tags/", &[], "").await,
    ];
    assert_eq!(answers.each_ref().map(|answer| answer.status), [200, 404, 404, 405, 400, 403]);
    for answer in &answers {
        assert_eq!(answer.headers["content-type"], "application/json; charset=utf-8", "{}", answer.text);
    }
    // R-GEN-8: links are on the host that was asked.
    let headers = [("Host", "inbox.example:8443"), ("Authorization", &*credential(&inbox.agent))];
    let user = inbox.raw("GET", "users/current/", &headers, "").await.expect(200);
    assert_eq!(user["url"], format!("http://inbox.example:8443/api/v1/users/{}/", inbox.agent.id));
    // R-GEN-9: what is not known, and what is read only, is ignored.
    let body = json!({"name": "vip", "id": 77, "tagging_id": 5, "nonsense": {"a": []}});
    let tag = inbox.post(&inbox.agent, "tags/?nonsense=1", body).await.expect(201);
    assert_ne!(tag["id"], 77);
    assert_eq!(inbox.page(&inbox.agent, "tags/?nonsense=%00&name=other").await["results"], json!([tag]));
    // R-GEN-11
    let root = inbox.raw("GET", "/api/v1/", &[], "").await;
    assert_eq!((root.status, root.text.as_str()), (200, "{}"));
    let cookie = root.headers["set-cookie"].to_str().unwrap();
    assert!(
        cookie.starts_with("csrftoken=") && cookie.contains("SameSite=Lax") && cookie.contains("Path=/"),
        "{cookie}"
    );
    assert!(cookie.contains("Max-Age=31449600"), "{cookie}");
}

#[tokio::test]
async fn r_gen_7_a_wa_id_is_read_as_people_write_it() {
    let inbox = Inbox::start().await;
    inbox.customer_writes(RUI, "Hello").await;
    let (agent, written) = (&inbox.agent, "%2B351%20(912)%20000-111");
    for path in ["chats", "persons", "chat_assignment"] {
        assert_eq!(inbox.page(agent, &format!("{path}/{written}/")).await["wa_id"], RUI);
        for none in ["abc", "%2B", "12a", "%00", "%FF", &"1".repeat(101)] {
            let answer = inbox.get(agent, &format!("{path}/{none}/")).await;
            assert_eq!((answer.status, answer.text.as_str()), (404, NOT_FOUND), "{path} {none}");
        }
    }
    for path in [format!("messages/{written}/"), format!("messages/?wa_id={written}")] {
        assert_eq!(inbox.total(agent, &path).await, 1, "{path}");
    }
    let body = json!({"timestamp": now(), "customer_wa_id": "+351 (912) 000-111"});
    inbox.post(agent, "mark_as_received/", body).await.expect(201);
    let long = json!({"timestamp": 1, "customer_wa_id": "1".repeat(101)});
    assert_eq!(
        inbox.post(agent, "mark_as_received/", long).await.expect(400)["customer_wa_id"],
        json!(["Ensure this field has no more than 100 characters."])
    );
}

#[tokio::test]
async fn r_gen_10_a_requests_id_comes_back_and_stays_with_what_it_did() {
    let inbox = Inbox::start().await;
    let headers = [JSON, ("Authorization", &*credential(&inbox.agent)), ("X-Request-ID", "shop-42/a")];
    let answer = inbox.raw("POST", "tags/", &headers, r#"{"name":"vip"}"#).await;
    assert_eq!((answer.status, &answer.headers["x-request-id"]), (201, &"shop-42/a".parse().unwrap()));
    let sql = "SELECT metadata->>'correlation_id' FROM ledger.events WHERE event_type = 'TagCreated'";
    let kept: String = sqlx::query_scalar(sql).fetch_one(&inbox.pool).await.unwrap();
    assert_eq!(kept, "shop-42/a");
    let refused = inbox.raw("GET", "nothing/", &[("X-Request-ID", "b")], "").await;
    assert_eq!(refused.headers["x-request-id"], "b");
    let own = inbox.raw("GET", "nothing/", &[], "").await;
    assert!(!own.headers["x-request-id"].is_empty());
}

#[tokio::test]
async fn r_err_1_what_is_not_there_not_allowed_or_not_readable_is_told_in_form() {
    let inbox = Inbox::start().await;
    for path in ["nothing/", "chats/1/2/", "/nothing", "/api/v2/chats/", "/api/v1/chats/%2e%2e/x"] {
        let answer = inbox.get(&inbox.agent, path).await;
        assert_eq!((answer.status, answer.text.as_str()), (404, NOT_FOUND), "{path}");
    }
    for (method, path, allow) in [
        ("PUT", "tags/", "GET, HEAD, POST"),
        ("DELETE", "chats/1", "GET, HEAD"),
        ("POST", "chat_assignment/1/", "GET, HEAD, PUT, PATCH"),
        ("GET", "auth/token/", "POST"),
        ("PATCH", "chat_tagging/1/", "GET, HEAD, DELETE"),
        ("GET", "mark_as_received/", "POST"),
    ] {
        let answer = inbox.raw(method, path, &[], "").await;
        assert_eq!((answer.status, answer.headers["allow"].to_str().unwrap()), (405, allow), "{method} {path}");
        assert_eq!(answer.text, format!(r#"{{"detail":"Method \"{method}\" not allowed."}}"#));
    }
    let by = credential(&inbox.agent);
    let headers = [JSON, ("Authorization", &*by)];
    let big = json!({"name": "x".repeat(1024 * 1024)}).to_string();
    let answer = inbox.raw("POST", "tags/", &headers, &big).await;
    let told = answer.expect(413);
    assert_eq!((&told["reason"], told["detail"].is_string()), (&json!("The file is too large."), true));
    for body in ["{", "{\"name\": }", "nothing", "{\"name\":\"\\ud800\"}", "{}x"] {
        let told = inbox.raw("POST", "tags/", &headers, body).await.expect(400);
        let detail = told["detail"].as_str().unwrap();
        assert!(detail.starts_with("JSON parse error - ") && told["reason"].is_string(), "{told}");
    }
    assert_eq!(inbox.total(&inbox.agent, "tags/").await, 0);
}

#[tokio::test]
async fn r_err_4_every_400_has_a_reason() {
    let inbox = Inbox::start().await;
    inbox.customer_writes(RUI, "Hello").await;
    let tag = inbox.tag("vip").await;
    inbox.tag_chat(tag, RUI).await;
    let by = credential(&inbox.agent);
    let assignment = format!("chat_assignment/{RUI}/");
    let path = |query: &str| format!("messages/?{query}");
    let asked = [
        ("POST", "tags/".to_owned(), "{}".to_owned()),
        ("POST", "tags/".to_owned(), "[]".to_owned()),
        ("POST", "tags/".to_owned(), "{".to_owned()),
        ("POST", "tags/".to_owned(), r#"{"name":"VIP"}"#.to_owned()),
        ("POST", "auth/token/".to_owned(), "{}".to_owned()),
        ("POST", "auth/token/".to_owned(), r#"{"username":"agent","password":"x"}"#.to_owned()),
        ("POST", "chat_tagging/".to_owned(), format!(r#"{{"tag":{tag},"chat":"{RUI}"}}"#)),
        ("POST", "chat_tagging/".to_owned(), format!(r#"{{"tag":{tag},"chat":"{NOBODY}"}}"#)),
        ("POST", "chat_tagging/".to_owned(), format!(r#"{{"tag":99999,"chat":"{RUI}","extra":[]}}"#)),
        ("POST", "message_tagging/".to_owned(), format!(r#"{{"tag":{tag},"message":"wamid.none"}}"#)),
        ("POST", "mark_as_received/".to_owned(), r#"{"timestamp":"soon"}"#.to_owned()),
        ("POST", "messages/".to_owned(), r#"{"wa_id":"1","type":"foo"}"#.to_owned()),
        ("PUT", assignment.clone(), r#"{"assigned_to_user":99999}"#.to_owned()),
        ("PUT", assignment.clone(), r#"{"assigned_group":99999}"#.to_owned()),
        ("PUT", assignment, r#"{"wa_id":"1"}"#.to_owned()),
        ("GET", path("since_time=x"), String::new()),
        ("GET", path("from_us=maybe"), String::new()),
        ("GET", path(&format!("search={}", "x".repeat(201))), String::new()),
        ("GET", "chats/?assigned_group=99999".to_owned(), String::new()),
    ];
    for (method, path, body) in asked {
        let answer = inbox.raw(method, &path, &[JSON, ("Authorization", &by)], &body).await;
        assert_eq!(answer.status, 400, "{method} {path} {body}: {}", answer.text);
        let reason = answer.body["reason"].as_str().unwrap_or_default();
        assert!(!reason.is_empty(), "{method} {path} {body}: {}", answer.text);
    }
}

#[tokio::test]
async fn r_err_5_and_r_auth_11_no_endpoint_answers_401_and_each_wants_a_credential() {
    let inbox = Inbox::start().await;
    let invalid = r#"{"detail":"Invalid token."}"#;
    let mut asked = 0;
    for (method, path) in endpoints() {
        let open = ["/api/v1/", "/api/v1/auth/token/", "/api/v1/auth/convert_refresh_token/"];
        // What is in an activation link is its credential.
        if open.contains(&&*path) || path.starts_with("/api/v1/users/activate/") {
            continue;
        }
        let path = path.replace("{wa_id}", RUI).replace("{id}", "1");
        for (sent, told) in
            [("", NOT_PROVIDED), ("Bearer x", NOT_PROVIDED), ("Basic eDp5", NOT_PROVIDED), ("Token x", invalid)]
        {
            // Whatever else is wrong with it.
            for (content_type, body) in [(JSON, "{"), (FORM, "a=1"), (("Content-Type", "text/csv"), "a")] {
                let headers = [content_type, ("Authorization", sent)];
                let answer = inbox.raw(method, &path, &headers, body).await;
                assert_eq!((answer.status, answer.text.as_str()), (403, told), "{method} {path} {sent}");
            }
        }
        asked += 1;
    }
    assert!(asked >= 25, "{asked}");
}

#[tokio::test]
async fn r_lim_1_2_and_3_a_user_who_asks_too_often_waits() {
    let inbox = Inbox::start_with(|config| config.sandbox_requests_per_minute = 3).await;
    for _ in 0..3 {
        inbox.get(&inbox.agent, "tags/").await.expect(200);
    }
    for _ in 0..3 {
        let answer = inbox.post(&inbox.agent, "tags/", json!({"name": "vip"})).await;
        let wait: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=60).contains(&wait));
        let detail = answer.expect(429)["detail"].clone();
        let told = detail.as_str().unwrap();
        assert!(told.starts_with("Request was throttled. Expected available in ") && told.contains(&wait.to_string()));
    }
    // R-LIM-2: others do not wait, and what was refused changed nothing.
    assert_eq!(inbox.page(&inbox.admin, "tags/").await["results"], json!([]));
}

#[tokio::test]
async fn what_is_for_admins_is_forbidden_to_others() {
    let inbox = Inbox::start().await;
    let tag = inbox.tag("vip").await;
    for by in [&inbox.agent, &inbox.bot] {
        let path = format!("tags/{tag}/");
        let change: Value = json!({"name": "other"});
        for answer in [inbox.patch(by, &path, change.clone()).await, inbox.delete(by, &path).await] {
            assert_eq!((answer.status, answer.text.as_str()), (403, FORBIDDEN));
        }
    }
    assert_eq!(inbox.page(&inbox.bot, "tags/").await["results"][0]["name"], "vip");
}
