//! What is the same at every door: both spellings of a path, three forms of a body, the errors of bad ones.

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    cases::{Case, cases},
    things::{Side, Things},
};
use crate::harness::{http::Answer, inbox::Inbox};

/// How a body is written.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    Json,
    UrlEncoded,
    Multipart,
}

async fn inbox() -> Inbox {
    Inbox::start_with(|config| config.sandbox_requests_per_minute = 0).await
}

fn side(inbox: &Inbox) -> Side<'_> {
    Side { inbox, admin: inbox.admin.clone(), number: inbox.phone_number_id.clone() }
}

async fn ask(side: &Side<'_>, case: &Case, path: &str, body: Option<&Value>, form: Form) -> Answer {
    let answer = send(side, case, path, body, form).await;
    if case.route.operation == "create_webhook" && answer.status == 201 {
        // One per user: the next one needs the place.
        let path = format!("webhooks/waba/{}/", answer.body["id"]);
        assert_eq!(side.inbox.delete(&side.admin, &path).await.status, 204);
    }
    if case.route.operation.ends_with("_rule") {
        // Rules would assign the chats of later cases, some time after they were made.
        let rules = side.inbox.get(&side.admin, "settings/rule_engine/rules/").await.expect(200);
        for rule in rules["results"].as_array().or(rules.as_array()).expect("a list") {
            let path = format!("settings/rule_engine/rules/{}/", rule["id"]);
            assert_eq!(side.inbox.delete(&side.admin, &path).await.status, 204);
        }
    }
    answer
}

async fn send(side: &Side<'_>, case: &Case, path: &str, body: Option<&Value>, form: Form) -> Answer {
    let method: Method = case.route.method.parse().expect("a method");
    let http = &side.inbox.http;
    let request = http.raw.request(method, http.url(path));
    let request = request.header("Authorization", format!("Token {}", side.admin.token));
    let request = match (body, form) {
        (None, _) => request,
        (Some(body), Form::Json) => request.json(body),
        (Some(body), Form::UrlEncoded) => {
            let text = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields(body)).finish();
            request.header("Content-Type", "application/x-www-form-urlencoded").body(text)
        }
        (Some(body), Form::Multipart) => {
            let parts = fields(body).into_iter();
            request.multipart(parts.fold(reqwest::multipart::Form::new(), |form, (name, text)| form.text(name, text)))
        }
    };
    http.send(request).await
}

/// The fields of an object as texts; what is inside of them as JSON text (R-GEN-4).
fn fields(body: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    body.as_object().expect("an object").iter().map(|(name, value)| (name.clone(), text(value))).collect()
}

/// What two answers must have in common when they are about two things of a kind: status and keys.
fn outline(answer: &Answer) -> (u16, Value) {
    fn keys(value: &Value) -> Value {
        match value {
            Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), keys(value))).collect(),
            Value::Array(all) => all.iter().take(1).map(keys).collect(),
            Value::Null => Value::Null,
            _ => json!("…"),
        }
    }
    (answer.status, keys(&answer.body))
}

#[tokio::test]
async fn r_gen_3_every_endpoint_is_served_with_and_without_the_slash() {
    let inbox = inbox().await;
    let side = side(&inbox);
    for case in cases().into_iter().filter(|case| case.in_matrix) {
        let mut outlines = Vec::new();
        for slash in [true, false] {
            let (path, body) = side.filled(&mut Things::default(), &case).await;
            let (bare, query) = path.split_once('?').map_or((path.as_str(), None), |(path, query)| (path, Some(query)));
            let bare = bare.trim_end_matches('/');
            let path = format!(
                "{bare}{}{}",
                if slash { "/" } else { "" },
                query.map_or_else(String::new, |q| format!("?{q}"))
            );
            let answer = ask(&side, &case, &path, body.as_ref(), Form::Json).await;
            assert!(
                !(300..400).contains(&answer.status) || case.route.path.contains("login"),
                "{path}: {}",
                answer.status
            );
            outlines.push(outline(&answer));
        }
        assert_eq!(outlines[0], outlines[1], "{}", case.name());
    }
}

#[tokio::test]
async fn r_gen_4_every_endpoint_takes_forms_as_it_takes_json() {
    let inbox = inbox().await;
    let side = side(&inbox);
    let mut asked = 0;
    for case in cases().into_iter().filter(|case| case.in_matrix && case.body.is_some()) {
        let mut outlines = Vec::new();
        for form in [Form::Json, Form::UrlEncoded, Form::Multipart] {
            let (path, body) = side.filled(&mut Things::default(), &case).await;
            let answer = ask(&side, &case, &path, body.as_ref(), form).await;
            outlines.push((form, outline(&answer), answer.text));
        }
        for (form, outline, text) in &outlines[1..] {
            assert_eq!(*outline, outlines[0].1, "{} as {form:?}: {text}\nas JSON: {}", case.name(), outlines[0].2);
        }
        asked += 1;
    }
    assert!(asked >= 8, "{asked}");
}

#[tokio::test]
async fn r_err_1_and_r_gen_4_every_endpoint_refuses_what_it_cannot_read() {
    let inbox = inbox().await;
    let side = side(&inbox);
    let huge = json!({"x": "y".repeat(1024 * 1024)}).to_string();
    for case in cases().into_iter().filter(|case| case.in_matrix && case.body.is_some()) {
        let (path, _) = side.filled(&mut Things::default(), &case).await;
        let send = async |content_type: &str, body: &str| {
            let method: Method = case.route.method.parse().expect("a method");
            let request = inbox.http.raw.request(method, inbox.http.url(&path)).body(body.to_owned());
            let request = request.header("Authorization", format!("Token {}", side.admin.token));
            inbox.http.send(request.header("Content-Type", content_type)).await
        };
        let name = case.name();
        let csv = send("text/csv", "a,b").await;
        assert_eq!(csv.expect(415), json!({"detail": "Unsupported media type \"text/csv\" in request."}), "{name}");
        // Of an upload only the file is looked at.
        let is_upload = name.contains("media") || name.contains("photo");
        let surrogate = if is_upload { "{" } else { "{\"a\":\"\\ud800\"}" };
        for bad in ["{", "{\"a\":}", "nonsense", surrogate, "{}{}"] {
            let told = send("application/json", bad).await;
            assert_eq!(told.status, 400, "{name} {bad}: {}", told.text);
            let detail = told.body["detail"].as_str().unwrap_or_default();
            assert!(detail.starts_with("JSON parse error - "), "{name} {bad}: {}", told.text);
            assert!(told.body["reason"].is_string(), "{name} {bad}: {}", told.text);
        }
        for other in ["[]", "1", "\"text\"", "null", "[{}]"] {
            let told = send("application/json", other).await;
            assert!(
                (400..500).contains(&told.status) && told.body["reason"].is_string(),
                "{name} {other}: {}",
                told.text
            );
        }
        for broken in ["--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb", "", "--x--\r\n", "\0\u{1}"] {
            let told = send("multipart/form-data; boundary=x", broken).await;
            assert!(told.status < 500, "{name}: {}", told.text);
        }
        if !is_upload {
            let told = send("application/json", &huge).await;
            assert_eq!(told.status, 413, "{name}: {}", told.text);
            assert_eq!(told.body["reason"], "The file is too large.", "{name}");
        }
    }
}

/// Values that break what is not careful.
const NASTY: [&str; 16] = [
    "null",
    "true",
    "-1",
    "0",
    "1.5",
    "1e400",
    "9223372036854775808",
    "\"\"",
    "\" \"",
    "\"\\u0000\"",
    "\"a\\u0000b\"",
    "\"\\u202e\\uffff\"",
    "[]",
    "{}",
    "[[[[[]]]]]",
    "\"<script>alert(1)</script>\\r\\nX: y\"",
];

#[tokio::test]
async fn s14_no_value_in_any_field_of_any_endpoint_is_a_fault() {
    let inbox = inbox().await;
    let side = side(&inbox);
    for case in cases().into_iter().filter(|case| case.in_matrix && case.body.is_some()) {
        let (path, body) = side.filled(&mut Things::default(), &case).await;
        let body = body.expect("filtered");
        for field in body.as_object().expect("an object").keys() {
            for nasty in NASTY {
                let raw = format!(
                    "{{{}}}",
                    body.as_object()
                        .expect("an object")
                        .iter()
                        .map(|(name, value)| {
                            let text = if name == field { nasty.to_owned() } else { value.to_string() };
                            format!("{}:{text}", json!(name))
                        })
                        .collect::<Vec<_>>()
                        .join(",")
                );
                let method: Method = case.route.method.parse().expect("a method");
                let request = inbox.http.raw.request(method, inbox.http.url(&path)).body(raw.clone());
                let request = request.header("Authorization", format!("Token {}", side.admin.token));
                let told = inbox.http.send(request.header("Content-Type", "application/json")).await;
                assert!(told.status < 500, "{} {raw}: {} {}", case.name(), told.status, told.text);
                if told.status == 400 {
                    assert!(told.body["reason"].is_string(), "R-ERR-4: {} {raw}: {}", case.name(), told.text);
                }
            }
        }
    }
}

#[tokio::test]
async fn s14_no_value_in_any_path_or_query_is_a_fault() {
    let inbox = inbox().await;
    let side = side(&inbox);
    let nasty = [
        "%00",
        "%FF",
        "..%2F..",
        "%2e%2e",
        "-1",
        "99999999999999999999",
        "1.5",
        "%F0%9F%92%A9",
        "a%0d%0ab",
        "'%20OR%201=1--",
        "%25",
        "%5c",
        "null",
    ];
    let names = [
        "limit",
        "offset",
        "search",
        "wa_id",
        "since_time",
        "before_time",
        "assigned_to_me",
        "assigned_group",
        "chat_tag_id",
        "unread",
        "messages_since_time",
        "mark_as_received",
        "from_us",
        "message_id",
        "text",
        "pages",
        "type",
        "exp",
        "sig",
        "this_instance",
        "id",
    ];
    for route in super::cases::endpoints() {
        let ask = async |path: &str| {
            let method: Method = route.method.parse().expect("a method");
            let answer = inbox.http.call(method, path, Some(&side.admin.token), None).await;
            assert!(answer.status < 500, "{} {path}: {} {}", route.method, answer.status, answer.text);
        };
        for value in nasty {
            if route.path.contains('{') {
                let path: Vec<&str> =
                    route.path.split('/').map(|s| if s.starts_with('{') { value } else { s }).collect();
                ask(&path.join("/")).await;
            }
            if route.method == "GET" && !route.path.contains('{') {
                let query: Vec<String> = names.iter().map(|name| format!("{name}={value}")).collect();
                ask(&format!("{}?{}", route.path, query.join("&"))).await;
                for one in query {
                    ask(&format!("{}?{one}", route.path)).await;
                }
            }
        }
    }
}
