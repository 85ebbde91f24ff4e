//! A client written by the source document: its curl lines as they stand, and every shape that it shows.
//!
//! A shape is an example value: an answer has it when every key of it is there with a value of the same kind. `"?kind"`
//! stands for a value that may be null.

use std::collections::BTreeMap;

use chatledger_domain::Role;
use reqwest::Method;
use serde_json::{Value, json};

use super::{RUI, credential};
use crate::harness::{
    http::Answer,
    inbox::{Inbox, now},
};

/// The address in the document's examples.
const BASE: &str = "https://your.base.url.com";
/// The customer in the document's examples.
const CUSTOMER: &str = "48123456789";

/// Runs a curl line: `-X`, `-H`, `--data` and the address, as a shell splits them.
async fn curl(inbox: &Inbox, line: &str) -> Answer {
    let (mut method, mut headers, mut data, mut url) = (None, Vec::new(), None, None);
    let mut words = split(line).into_iter().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "-X" => method = words.next(),
            "-H" => headers.extend(words.next()),
            "--data" | "-d" => data = words.next(),
            _ => url = Some(word),
        }
    }
    let url = url.expect("an address").replace(BASE, &inbox.http.base_url);
    let method = method.unwrap_or_else(|| if data.is_some() { "POST".into() } else { "GET".into() });
    let mut request = inbox.http.raw.request(method.parse::<Method>().expect("a method"), url);
    let is_form = data.is_some() && !headers.iter().any(|header| header.to_lowercase().starts_with("content-type"));
    if is_form {
        request = request.header("Content-Type", "application/x-www-form-urlencoded");
    }
    for header in headers {
        let (name, value) = header.split_once(':').expect("a header");
        request = request.header(name, value.trim());
    }
    inbox.http.send(request.body(data.unwrap_or_default())).await
}

/// Words as a shell sees them: quotes, escapes within double quotes, lines that go on.
fn split(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut open) = (Vec::new(), String::new(), None, false);
    let mut characters = line.chars().peekable();
    while let Some(c) = characters.next() {
        match (quote, c) {
            (Some('"') | None, '\\') => match characters.next() {
                Some('\n') | None => {}
                Some(next) => word.push(next),
            },
            (Some(q), c) if q == c => quote = None,
            (None, '"' | '\'') => (quote, open) = (Some(c), true),
            (None, c) if c.is_whitespace() => {
                if open || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                open = false;
            }
            (_, c) => word.push(c),
        }
    }
    if open || !word.is_empty() {
        words.push(word);
    }
    words
}

/// Wants every key of the shape, with a value of the same kind.
#[track_caller]
fn has_shape(answer: &Value, shape: &Value, place: &str) {
    match (answer, shape) {
        (Value::Object(answer), Value::Object(shape)) => {
            for (key, shape) in shape {
                let value = answer.get(key).unwrap_or_else(|| panic!("{place}.{key} is missing"));
                has_shape(value, shape, &format!("{place}.{key}"));
            }
        }
        (Value::Array(answer), Value::Array(shape)) => {
            if let Some(shape) = shape.first() {
                assert!(!answer.is_empty(), "{place} is empty");
                answer.iter().for_each(|value| has_shape(value, shape, place));
            }
        }
        (Value::Null, Value::String(kind)) if kind.starts_with('?') => {}
        (Value::Number(_), Value::String(kind)) if kind == "?number" => {}
        (Value::Object(_), Value::String(kind)) if kind == "?object" => {}
        (Value::String(_), Value::String(_))
        | (Value::Number(_), Value::Number(_))
        | (Value::Bool(_), Value::Bool(_)) => {}
        _ => panic!("{place} is {answer}, the document shows {shape}"),
    }
}

fn user() -> Value {
    json!({
        "url": "string", "id": 0, "username": "string", "first_name": "string", "last_name": "string",
        "email": "user@example.com", "profile": {"role": "user"}, "groups": [{"id": 0, "name": "string"}],
        "permissions": {"can_use_tags": true, "can_read_chats": "all", "can_write_to_chats": "all"}
    })
}

fn person() -> Value {
    json!({"wa_id": "string", "waba_payload": {"profile": {"name": "string"}, "wa_id": "string"},
           "initials": "string", "last_message_timestamp": "?number"})
}

fn applied_tag() -> Value {
    json!({"name": "string", "web_inbox_color": "?string", "tagging_id": 0, "id": 0, "extra": "?object"})
}

fn message() -> Value {
    json!({
        "id": "string", "waba_payload": {}, "waba_statuses": {"sent": 0, "delivered": 0, "read": 0},
        "contact": person(), "from_us": true, "received": false, "sender": "?object", "context": "?object",
        "customer_wa_id": "string", "tags": []
    })
}

fn chat() -> Value {
    json!({"contact": person(), "new_messages": 0, "wa_id": "string", "last_message": message(),
           "assigned_to_user": user(), "assigned_group": "?object", "tags": [applied_tag()]})
}

fn page_of(shape: &Value) -> Value {
    json!({"count": 0, "next": "?string", "previous": "?string", "results": [shape]})
}

#[tokio::test]
async fn the_documents_curl_lines_do_what_it_says() {
    let inbox = Inbox::start().await;
    inbox.customer_writes(CUSTOMER, "Hello").await;
    let (name, password, token) = (&inbox.admin.username, &inbox.admin.password, &inbox.admin.token);
    let log_in = format!(
        "curl -H \"Content-Type: application/json\" \\\n-H \"Accept: application/json\" \\\n-X POST \\\n\
         {BASE}/api/v1/auth/token/ \\\n--data \"{{\\\"username\\\": \\\"{name}\\\", \\\"password\\\": \\\"{password}\\\"}}\""
    );
    assert_eq!(curl(&inbox, &log_in).await.expect(200), json!({ "token": token }));
    let as_form = format!("curl -X POST {BASE}/api/v1/auth/token --data 'username={name}&password={password}'");
    assert_eq!(curl(&inbox, &as_form).await.expect(200), json!({ "token": token }));

    let chats = format!(
        "curl \\\n-H \"Authorization: Token {token}\" \\\n-X GET \\\n{BASE}/api/v1/chats/ \\\n-H \"Accept: application/json\""
    );
    let page = curl(&inbox, &chats).await.expect(200);
    assert_eq!((&page["results"][0]["wa_id"], &page["results"][0]["new_messages"]), (&json!(CUSTOMER), &json!(1)));

    let send = format!(
        "curl -H \"Authorization: Token {token}\" \\\n-H \"Content-Type: application/json\" \\\n\
         -H \"Accept: application/json\" \\\n-X POST \\\n{BASE}/api/v1/messages/ \\\n\
         --data \"{{\\\"wa_id\\\": \\\"{CUSTOMER}\\\", \\\"text\\\": {{\\\"body\\\": \\\"Hello!\\\"}}}}\""
    );
    has_shape(
        &curl(&inbox, &send).await.expect(201),
        &json!({"waba_response": {"messages": [{"id": "wamid"}]}}),
        "send",
    );

    let one =
        format!("curl -H \"Authorization: Token {token}\" -X GET '{BASE}/api/v1/messages/?wa_id={CUSTOMER}&limit=1'");
    let page = curl(&inbox, &one).await.expect(200);
    assert_eq!((&page["count"], &page["results"][0]["waba_payload"]["text"]["body"]), (&json!(2), &json!("Hello!")));
    let next = page["next"].as_str().expect("a link").replace(&inbox.http.base_url, BASE);
    let page = curl(&inbox, &format!("curl -H \"Authorization: Token {token}\" -X GET '{next}'")).await.expect(200);
    let oldest = &page["results"][0]["waba_payload"];
    assert_eq!((&oldest["from"], &oldest["text"]["body"]), (&json!(CUSTOMER), &json!("Hello")));
    let before: i64 = oldest["timestamp"].as_str().expect("text").parse().expect("seconds");
    let older = format!("{BASE}/api/v1/messages/{CUSTOMER}/?limit=20&before_time={before}");
    let page = curl(&inbox, &format!("curl -H \"Authorization: Token {token}\" -X GET '{older}'")).await.expect(200);
    assert_eq!(page["results"], json!([]));

    let key = "xEZOvMBDS6zEZtbR2xCJkP5R75szhCUIvMH";
    let provider = format!(
        "curl -H \"D360-Api-Key: {key}\" \\\n-H \"Accept: application/json\" \\\n-X GET \\\n{BASE}/api/v1/users/current/"
    );
    let refused = curl(&inbox, &provider).await;
    assert_eq!((refused.status, refused.text.as_str()), (403, super::NOT_PROVIDED));
    // With the key of the channel one is the admin that was registered with the inbox.
    let state = inbox.sandbox_state();
    let key = state["access_token"].as_str().expect("a key");
    let answer = curl(&inbox, &provider.replace("xEZOvMBDS6zEZtbR2xCJkP5R75szhCUIvMH", key)).await.expect(200);
    has_shape(&answer, &user(), "current user");
    assert_eq!(answer["username"], *name);
}

#[tokio::test]
async fn every_list_of_the_document_has_the_shape_it_shows() {
    let inbox = Inbox::start().await;
    let admin = &inbox.admin;
    let message_id = inbox.customer_writes(RUI, "Hello").await;
    let tag =
        inbox.post(admin, "tags/", json!({"name": "Agent needed", "web_inbox_color": "#d32f2f"})).await.expect(201);
    has_shape(&tag, &json!({"id": 0, "name": "string", "web_inbox_color": "string"}), "tag");
    let body = json!({"tag": tag["id"], "message": message_id, "extra": {"by": "bot"}});
    let tagging = inbox.post(admin, "message_tagging/", body).await.expect(201);
    has_shape(&tagging, &json!({"id": 0, "tag": 0, "message": "string", "extra": {}}), "message tagging");
    let other = inbox.tag("second").await;
    let tagging = inbox.post(admin, "chat_tagging/", json!({"tag": other, "chat": RUI, "extra": {}})).await.expect(201);
    has_shape(&tagging, &json!({"id": 0, "tag": 0, "chat": "string", "extra": {}}), "chat tagging");
    let assignment = json!({"wa_id": RUI, "assigned_to_user": inbox.agent.id, "assigned_group": null});
    let path = format!("chat_assignment/{RUI}/");
    let shape = json!({"wa_id": "string", "assigned_to_user": 0, "assigned_group": "?number"});
    has_shape(&inbox.put(admin, &path, assignment).await.expect(200), &shape, "assignment");
    has_shape(&inbox.get(&inbox.agent, &path).await.expect(200), &shape, "assignment");
    let saved = inbox.post(admin, "saved_responses/", json!({"text": "Thanks."})).await.expect(201);
    let saved_shape = json!({"id": 0, "text": "string", "created_by": "string", "timestamp": 0});
    has_shape(&saved, &saved_shape, "saved response");
    let sent = json!({"wa_id": RUI, "type": "text", "text": {"body": "Hello!"}});
    inbox.post(admin, "messages/", sent).await.expect(201);
    let mark = json!({"timestamp": now(), "customer_wa_id": RUI});
    assert_eq!(inbox.post(admin, "mark_as_received/", mark).await.expect(201), json!({}));

    let event = json!({"timestamp": 0, "action": "added", "tag": {"id": 0, "name": "string", "web_inbox_color": "?string"},
                       "extra": "?object", "done_by": user()});
    let with = |key: &str| {
        let mut event = event.clone();
        event[key] = json!("string");
        event
    };
    let lists: BTreeMap<&str, Value> = BTreeMap::from([
        ("chats/", chat()),
        ("persons/", person()),
        ("tags/", json!({"id": 0, "name": "string", "web_inbox_color": "?string"})),
        ("chat_tagging_events/", with("chat")),
        ("message_tagging_events/", with("message")),
        ("users/", user()),
        ("groups/", json!({"id": 0, "name": "string"})),
        ("saved_responses/", saved_shape),
        ("messages/", message()),
        (
            "chat_assignment_events/",
            json!({"timestamp": 0, "wa_id": "string", "assigned_to_user_set": user(), "assigned_to_user_was_cleared": true,
                   "assigned_group_set": "?object", "assigned_group_was_cleared": true, "done_by": user()}),
        ),
    ]);
    for (list, shape) in lists {
        let page = inbox.page(admin, list).await;
        has_shape(&page, &page_of(&shape), list);
    }
    has_shape(&inbox.page(admin, &format!("chats/{RUI}/")).await, &chat(), "chat");
    has_shape(&inbox.page(admin, &format!("persons/{RUI}/")).await, &person(), "person");
    has_shape(&inbox.page(admin, "users/current/").await, &user(), "current user");
    let contacts = json!({"count": 0, "results": []});
    has_shape(&inbox.page(admin, "contacts/?limit=2&search=Rui").await, &contacts, "contacts");
    let contact = json!({"person": person(), "contact_provider_results": []});
    has_shape(&inbox.page(admin, &format!("contacts/{RUI}/")).await, &contact, "contact");
    let numbers = json!({"blocking": "no_wait", "contacts": ["+1 631 555 1001", "123"], "force_check": false});
    let verified = inbox.post(admin, "contacts/verify/", numbers).await.expect(200);
    assert_eq!(verified["contacts"][0], json!({"input": "+1 631 555 1001", "wa_id": "16315551001", "status": "valid"}));
    assert_eq!(verified["contacts"][1], json!({"input": "123", "status": "invalid"}));
}

#[tokio::test]
async fn the_documents_other_resources_have_the_shapes_it_shows() {
    let inbox = Inbox::start().await;
    let admin = &inbox.admin;
    let webhook =
        inbox.post(admin, "webhooks/waba/", json!({"url": "http://127.0.0.1:9009/hook?auth=x"})).await.expect(201);
    let shape = json!({"id": 0, "user": {"id": 0, "username": "string", "url": "string"}, "url": "string"});
    has_shape(&webhook, &shape, "webhook");
    has_shape(&inbox.page(admin, "webhooks/waba/").await, &page_of(&shape), "webhooks");
    let path = format!("webhooks/waba/{}/", webhook["id"]);
    has_shape(
        &inbox.put(admin, &path, json!({"url": "http://127.0.0.1:9009/other"})).await.expect(200),
        &shape,
        "webhook",
    );
    assert_eq!(inbox.delete(admin, &path).await.status, 204);

    let template = json!({"name": "order_update", "category": "UTILITY", "language": "en_US",
                          "components": [{"type": "BODY", "text": "Your order is on its way."}]});
    let shape = json!({"name": "string", "category": "string", "language": "string", "components": [{}],
                       "namespace": "string", "rejected_reason": "string", "status": "string"});
    has_shape(&inbox.post(admin, "templates/", template).await.expect(201), &shape, "template");
    has_shape(&inbox.page(admin, "templates/").await, &page_of(&shape), "templates");

    let media = inbox.post(admin, "media/", json!({"file_encoded": "JVBERi0xLjQKJSVFT0YK"})).await.expect(201);
    has_shape(&media, &json!({"file": "string", "id": "string"}), "media");
    let url = media["file"].as_str().expect("an address").to_owned();
    let file = inbox.http.send(inbox.http.raw.get(url).header("Authorization", credential(admin))).await;
    assert_eq!((file.status, file.text.as_str()), (200, "%PDF-1.4\n%%EOF\n"));

    let profile = json!({"address": "1 Main St", "description": "Shoes", "email": "shop@acme.example",
                         "vertical": "Shopping and Retail", "websites": ["https://acme.example"]});
    let path = "settings/business/profile/";
    has_shape(&inbox.put(admin, path, profile.clone()).await.expect(200), &profile, "profile");
    has_shape(&inbox.page(admin, path).await, &profile, "profile");
    let about = inbox.patch(admin, "settings/profile/about/", json!({"text": "We sell shoes"})).await.expect(200);
    assert_eq!(about, json!({"text": "We sell shoes"}));

    // A bot gets its token by its activation link, once.
    let new = json!({"username": "crmbot", "profile": {"role": "app"}});
    let made = inbox.post(admin, "users/", new).await.expect(201);
    has_shape(&made, &user(), "user");
    let link = made["activation_url"].as_str().expect("a link").to_owned();
    let token = inbox.http.send(inbox.http.raw.get(&link)).await.expect(200)["token"].clone();
    let token = token.as_str().expect("a token");
    let bot = inbox.http.call(Method::GET, "users/current/", Some(token), None).await.expect(200);
    assert_eq!((&bot["username"], &bot["profile"]["role"]), (&json!("crmbot"), &json!("app")));
    assert_eq!(inbox.http.send(inbox.http.raw.get(&link)).await.status, 404);

    let path = format!("users/{}/", bot["id"]);
    let whole = json!({"username": "crmbot", "email": "bot@acme.example", "profile": {"role": "user"},
                       "groups": bot["groups"], "permissions": bot["permissions"]});
    has_shape(&inbox.patch(admin, &path, json!({"first_name": "Crm"})).await.expect(200), &user(), "user");
    let answer = inbox.put(admin, &path, whole).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let password = json!({"password": "a long enough one"});
    let path = format!("users/{}/password/change/", bot["id"]);
    assert_eq!(inbox.put(admin, &path, password).await.expect(200), json!({}));
    let user = inbox.add_user("peter", Role::User).await;
    let change = json!({"current_password": user.password, "new_password": "another long one"});
    assert_eq!(inbox.put(&user, "users/password/change/", change).await.expect(200), json!({}));
}

#[test]
fn a_line_is_split_as_a_shell_does() {
    assert_eq!(split("curl -H \"a: \\\"b\\\"\" \\\n'c d' e"), ["curl", "-H", "a: \"b\"", "c d", "e"]);
}
