//! Where the websocket is, over which transport, and for whose pages (contract §4; S18).

use chatledger_domain::Role;
use serde_json::json;

use super::{Heard, RUI, Socket};
use crate::harness::inbox::Inbox;

#[tokio::test]
async fn the_websocket_has_a_host_of_its_own() {
    let inbox = Inbox::start().await;
    inbox.add_tenant("acme", "acme.example", "777").await;
    let agent = inbox.add_user_to("acme", "nuno", Role::User).await;
    let base = &inbox.http.base_url;
    let own = [("Host", "websockets-acme.example:8443")];
    for (path, host) in [("/", own), ("/ws/", own), ("/ws", [("Host", "acme.example")])] {
        let socket = Socket::try_open(base, path, &host).await.expect("an upgrade");
        socket.let_in(&json!({"token": agent.token})).await;
        // Another inbox's token is none here.
        let mut socket = Socket::try_open(base, path, &host).await.expect("an upgrade");
        socket.say(&json!({"token": inbox.admin.token}).to_string()).await;
        assert!(matches!(socket.hear().await, Heard::Frame(answer) if answer["status"] == "failed"));
        assert_eq!(socket.hear().await, Heard::Closed(1008));
    }
    // The root of any other host is nothing.
    let (status, body) = Socket::try_open(base, "/", &[]).await.err().expect("a refusal");
    assert_eq!((status, body), (404, json!({"detail": "Not found."})));
    let mut socket = Socket::try_open(base, "/", &[("Host", "websockets-localhost")]).await.expect("an upgrade");
    socket = socket.let_in(&json!({"token": inbox.admin.token})).await;
    inbox.customer_writes(RUI, "Hello").await;
    assert_eq!(socket.texts().await, ["Hello"]);
}

#[tokio::test]
async fn without_an_upgrade_it_says_what_it_is() {
    let inbox = Inbox::start().await;
    for path in ["/ws/", "/ws"] {
        let answer = inbox.http.call(reqwest::Method::GET, path, None, None).await;
        assert_eq!((answer.status, &answer.headers["upgrade"]), (426, &"websocket".parse().unwrap()));
        assert!(answer.body["detail"].as_str().is_some_and(|text| text.contains("websocket")), "{}", answer.text);
    }
    let answer = inbox.http.call(reqwest::Method::POST, "/ws/", None, None).await;
    assert_eq!(answer.status, 405);
    let request = inbox.http.raw.get(inbox.http.url("/ws/")).header("Upgrade", "websocket");
    assert_eq!(inbox.http.send(request.header("Connection", "Upgrade")).await.status, 400);
}

#[tokio::test]
async fn plain_websockets_are_refused_unless_the_deployment_allows_them() {
    let inbox = Inbox::start_with(|config| {
        config.allow_plain_websockets = Some(false);
        config.trust_proxy = true;
    })
    .await;
    let (status, body) = Socket::try_open(&inbox.http.base_url, "/ws/", &[]).await.err().expect("a refusal");
    assert_eq!(status, 403);
    assert!(body["detail"].as_str().is_some_and(|text| text.contains("TLS")), "{body}");
    let https = [("X-Forwarded-Proto", "https")];
    let socket = Socket::try_open(&inbox.http.base_url, "/ws/", &https).await.expect("an upgrade");
    socket.let_in(&json!({"token": inbox.admin.token})).await;
}

#[tokio::test]
async fn s18_only_pages_of_the_inbox_and_of_the_operators_list_may_open_one() {
    let inbox = Inbox::start_with(|config| config.allowed_origins = vec!["https://app.example:8443".to_owned()]).await;
    inbox.add_tenant("acme", "acme.example", "777").await;
    inbox.add_tenant("other", "other.example", "778").await;
    let host = ("Host", "websockets-acme.example");
    let page = async |origin: &str| {
        let opened = Socket::try_open(&inbox.http.base_url, "/ws/", &[host, ("Origin", origin)]).await;
        opened.map(drop).map_err(|(status, _)| status)
    };
    for ours in ["https://acme.example", "http://acme.example:8080", "https://app.example:8443"] {
        assert_eq!(page(ours).await, Ok(()), "{ours}");
    }
    for foreign in ["https://other.example", "https://app.example", "https://evil.example", "null", "acme.example", ""]
    {
        assert_eq!(page(foreign).await, Err(403), "{foreign}");
    }
}
