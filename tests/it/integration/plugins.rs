//! Contract §K: what plugins show to everybody.

use std::time::{Duration, Instant};

use serde_json::json;

use super::NOT_FOUND;
use crate::harness::{inbox::Inbox, stub::Stub};

async fn with(plugins: &[(&str, &Stub)]) -> Inbox {
    let plugins = plugins.iter().map(|(kind, stub)| ((*kind).to_owned(), format!("{}/public?v=1", stub.url)));
    let plugins = plugins.collect();
    Inbox::start_with(|config| config.plugins = plugins).await
}

#[tokio::test]
async fn a_plugin_is_asked_with_every_other_parameter_as_it_is() {
    let shop = Stub::http("200 OK", "", br#"{"b" : 1.0, "a":[ ]}"#).await;
    let inbox = with(&[("shop", &shop)]).await;
    let answer = inbox.get(&inbox.bot, "plugins/public/?type=shop&q=a%26b+c&limit=x&q=2&empty=").await;
    assert_eq!((answer.status, answer.text.as_str()), (200, r#"{"response":{"b" : 1.0, "a":[ ]}}"#));
    assert_eq!(shop.asked(), ["GET /public?v=1&q=a%26b+c&limit=x&q=2&empty= HTTP/1.1"]);
}

#[tokio::test]
async fn without_type_400_and_an_unknown_plugin_404() {
    let inbox = Inbox::start().await;
    for path in ["plugins/public/", "plugins/public/?type="] {
        let text = "This field is required.";
        let body = json!({"type": [text], "reason": format!("type: {text}")});
        assert_eq!(inbox.get(&inbox.agent, path).await.expect(400), body);
    }
    for path in ["plugins/public/?type=shop", "plugins/public/?type=%00", "plugins/public/?type=..%2F.."] {
        let answer = inbox.get(&inbox.agent, path).await;
        assert_eq!((answer.status, answer.text.as_str()), (404, NOT_FOUND), "{path}");
    }
}

#[tokio::test]
async fn a_plugin_that_fails_is_502() {
    let (status, redirect) = ("500 Internal Server Error", "location: http://127.0.0.1:1/\r\n");
    let long = format!(r#"{{"pad":"{}"}}"#, "x".repeat(1024 * 1024));
    let stubs = [
        ("error", Stub::http(status, "", b"{}").await),
        ("moved", Stub::http("302 Found", redirect, b"{}").await),
        ("html", Stub::http("200 OK", "", b"<html>").await),
        ("list", Stub::http("200 OK", "", b"[]").await),
        ("latin1", Stub::http("200 OK", "", b"{\"a\":\"\xe9\"}").await),
        ("long", Stub::http("200 OK", "", long.as_bytes()).await),
        ("silent", Stub::silent().await),
    ];
    let plugins: Vec<_> = stubs.iter().map(|(kind, stub)| (*kind, stub)).collect();
    let inbox = with(&plugins).await;
    for (kind, _) in &stubs {
        let asked = Instant::now();
        let answer = inbox.get(&inbox.agent, &format!("plugins/public/?type={kind}")).await;
        assert_eq!(answer.status, 502, "{kind}: {}", answer.text);
        assert_eq!(answer.body, json!({"reason": "The plugin did not answer as it should."}));
        assert!(asked.elapsed() < Duration::from_secs(15), "{kind}");
    }
}
