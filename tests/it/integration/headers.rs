//! S17: what browsers are told with every answer, whatever it is, and methods that nobody serves.

use chatledger_api::route_table;
use serde_json::json;

use super::credential;
use crate::harness::{http::Answer, inbox::Inbox};

const HTTPS: (&str, &str) = ("X-Forwarded-Proto", "https");

/// A path of an endpoint with something in place of its parameters.
fn filled(path: &str) -> String {
    path.split('/').map(|part| if part.starts_with('{') { "1" } else { part }).collect::<Vec<_>>().join("/")
}

#[track_caller]
fn is_dressed(answer: &Answer, what: &str) {
    let header = |name: &str| answer.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default();
    assert_eq!(header("x-content-type-options"), "nosniff", "{what}");
    assert_eq!(header("strict-transport-security"), "max-age=31536000", "{what}");
    assert!(matches!(header("referrer-policy"), "no-referrer" | "same-origin"), "{what}");
    assert!(header("cache-control").contains("no-store"), "{what}: {}", header("cache-control"));
    let policy = header("content-security-policy");
    assert!(policy.starts_with("default-src 'none';") && policy.contains("frame-ancestors 'none'"), "{what}: {policy}");
    assert!(!policy.contains("unsafe"), "{what}: {policy}");
    // No other site's page may read anything: there is no list of such sites.
    assert!(!answer.headers.keys().any(|name| name.as_str().starts_with("access-control-")), "{what}");
    assert!(!answer.headers.contains_key("server") && !answer.headers.contains_key("x-powered-by"), "{what}");
}

#[tokio::test]
async fn s17_every_route_and_every_error_carries_the_headers() {
    let inbox = Inbox::start_with(|config| config.trust_proxy = true).await;
    let token = credential(&inbox.agent);
    let (json, by) = (("Content-Type", "application/json"), ("Authorization", &*token));
    let mut asked = 0;
    for route in route_table() {
        let path = filled(route.path);
        let origin = ("Origin", "https://evil.example");
        for headers in [&[HTTPS, origin][..], &[HTTPS, json, by, origin], &[HTTPS, ("Authorization", "Token x")]] {
            let body = if route.method == "GET" { "" } else { "{" };
            let answer = inbox.raw(route.method, &path, headers, body).await;
            is_dressed(&answer, &format!("{} {path} {headers:?}: {}", route.method, answer.status));
            asked += 1;
        }
    }
    assert!(asked > 100, "{asked}");
    for path in ["/", "/nothing", "/api/v1/nothing/", "/api/v1/whatsapp/nothing", "/login/x", "/%2e%2e/%00"] {
        let answer = inbox.raw("GET", path, &[HTTPS], "").await;
        assert!(answer.status >= 400, "{path}");
        is_dressed(&answer, path);
    }
    // Nothing is promised about https over http.
    let plain = inbox.raw("GET", "/login/", &[], "").await;
    assert!(!plain.headers.contains_key("strict-transport-security"));
}

#[tokio::test]
async fn s17_trace_and_unknown_methods_are_answered_in_form() {
    let inbox = Inbox::start_with(|config| config.trust_proxy = true).await;
    for method in ["TRACE", "OPTIONS", "PROPFIND", "CONNECTX", "get"] {
        for path in ["/api/v1/", "/api/v1/tags/", "/api/v1/auth/token/", "/login/", "/api/v1/tags/1"] {
            let canary = ("X-Canary", "comes-back");
            let preflight = ("Access-Control-Request-Method", "POST");
            let answer = inbox.raw(method, path, &[HTTPS, canary, preflight], "").await;
            assert_eq!(answer.status, 405, "{method} {path}: {}", answer.text);
            assert_eq!(answer.body, json!({ "detail": format!("Method \"{method}\" not allowed.") }), "{path}");
            assert!(!answer.headers["allow"].is_empty() && !answer.text.contains("comes-back"));
            is_dressed(&answer, &format!("{method} {path}"));
        }
        let answer = inbox.raw(method, "/api/v1/nothing/", &[HTTPS], "").await;
        assert_eq!((answer.status, &*answer.text), (404, super::NOT_FOUND), "{method}");
    }
    let answer = inbox.raw("TRACE", "/api/v1/whatsapp/webhooks", &[HTTPS], "").await;
    assert_eq!((answer.status, &answer.body["details"]["code"]), (405, &json!("METHOD_NOT_ALLOWED")));
}
