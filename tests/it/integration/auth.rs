//! Contract §B: tokens, and which tenant a call is for.

use serde_json::{Value, json};

use super::{NOT_PROVIDED, credential};
use crate::harness::{http::Answer, inbox::Inbox};

async fn log_in(inbox: &Inbox, headers: &[(&str, &str)], username: &str, password: &str) -> Answer {
    let headers = [&[("Content-Type", "application/json")], headers].concat();
    let body = json!({"username": username, "password": password}).to_string();
    inbox.raw("POST", "auth/token/", &headers, &body).await
}

#[tokio::test]
async fn r_auth_2_every_login_gives_the_same_token() {
    let inbox = Inbox::start().await;
    let agent = &inbox.agent;
    assert!(agent.token.len() == 40 && agent.token.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')));
    for username in ["agent", "AGENT"] {
        let answer = log_in(&inbox, &[], username, &agent.password).await;
        assert_eq!((answer.status, answer.text), (200, format!(r#"{{"token":"{}"}}"#, agent.token)));
    }
    let form = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("username", "agent"), ("password", &agent.password)])
        .finish();
    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    let answer = inbox.raw("POST", "auth/token", &headers, &form).await;
    assert_eq!(answer.expect(200), json!({"token": agent.token}));
}

#[tokio::test]
async fn r_auth_2_3_4_and_11_what_a_header_gives() {
    let inbox = Inbox::start().await;
    let ask = async |headers: &[(&str, &str)]| {
        let answer = inbox.raw("GET", "users/current/", headers, "").await;
        (answer.status, answer.text)
    };
    // R-AUTH-2: the scheme in any case.
    for scheme in ["Token", "token", "TOKEN"] {
        let (status, text) = ask(&[("Authorization", &format!("{scheme} {}", inbox.agent.token))]).await;
        assert_eq!(status, 200, "{text}");
    }
    // R-AUTH-3: a token that is none is refused at once.
    let invalid = (403, r#"{"detail":"Invalid token."}"#.to_owned());
    let (live, almost) = (&inbox.agent.token, format!("{}0", inbox.agent.token));
    let other = "0".repeat(40);
    for token in [other.as_str(), &almost, "", "x", "a b", &live.to_uppercase()] {
        let sent = format!("Token {token}");
        let headers = [("Authorization", sent.as_str()), ("Cookie", "sessionid=abcdef0123456789")];
        assert_eq!(ask(&headers).await, invalid, "{token}");
    }
    // R-AUTH-4 and R-AUTH-11: nothing that is looked at is nothing at all.
    let none = (403, NOT_PROVIDED.to_owned());
    assert_eq!(ask(&[]).await, none);
    for sent in [format!("Bearer {live}"), "Basic YTpi".to_owned(), live.clone(), String::new()] {
        assert_eq!(ask(&[("Authorization", &sent)]).await, none, "{sent}");
    }
    // R-AUTH-3: who is not active.
    sqlx::query("UPDATE read_models.users SET deactivated = true WHERE username = 'agent'")
        .execute(&inbox.pool)
        .await
        .unwrap();
    let gone = (403, r#"{"detail":"User inactive or deleted."}"#.to_owned());
    assert_eq!(ask(&[("Authorization", &credential(&inbox.agent))]).await, gone);
}

#[tokio::test]
async fn auth_token_says_exactly_what_is_wrong() {
    let inbox = Inbox::start().await;
    let ask = async |body: Value| {
        let headers = [("Content-Type", "application/json")];
        inbox.raw("POST", "auth/token/", &headers, &body.to_string()).await.expect(400)
    };
    assert_eq!(
        ask(json!({})).await,
        json!({"username": ["This field is required."], "password": ["This field is required."],
               "reason": "username: This field is required."})
    );
    assert_eq!(
        ask(json!({"username": "agent", "password": null})).await,
        json!({"password": ["This field may not be null."], "reason": "password: This field may not be null."})
    );
    assert_eq!(
        ask(json!({"username": " ", "password": "x"})).await,
        json!({"username": ["This field may not be blank."], "reason": "username: This field may not be blank."})
    );
    let refused = json!({"non_field_errors": ["Unable to log in with provided credentials."],
                         "reason": "Unable to log in with provided credentials."});
    // Nothing tells a wrong password from a user that is not there.
    for (username, password) in
        [("agent", "wrong"), ("nobody", "wrong"), ("agent", &format!(" {}", inbox.agent.password))]
    {
        assert_eq!(ask(json!({"username": username, "password": password})).await, refused);
    }
}

#[tokio::test]
async fn auth_token_is_throttled_after_ten_failures() {
    let inbox = Inbox::start().await;
    for _ in 0..10 {
        assert_eq!(log_in(&inbox, &[], "agent", "wrong").await.status, 400);
    }
    for (username, password) in [("agent", "wrong"), ("Agent", inbox.agent.password.as_str())] {
        let answer = log_in(&inbox, &[], username, password).await;
        let wait: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=900).contains(&wait), "{wait}");
        let told = format!("Request was throttled. Expected available in {wait} seconds.");
        assert_eq!(answer.expect(429), json!({ "detail": told }));
    }
    // Only this user waits, and its token lives on.
    assert_eq!(log_in(&inbox, &[], "admin", &inbox.admin.password).await.status, 200);
    assert_eq!(inbox.get(&inbox.agent, "users/current/").await.status, 200);
}

#[tokio::test]
async fn r_gen_2_the_tenant_of_a_login_is_the_hosts_else_the_headers() {
    let inbox = Inbox::start().await;
    // The single tenant needs no name, and a wrong name is nobody's.
    assert_eq!(log_in(&inbox, &[], "admin", &inbox.admin.password).await.status, 200);
    assert_eq!(log_in(&inbox, &[("X-Tenant", "acme")], "admin", &inbox.admin.password).await.status, 400);
    inbox.add_tenant("acme", "acme.example", "990000000000001").await;
    let boss = inbox.add_user_to("acme", "admin", chatledger_domain::Role::Admin).await;
    let (demo, acme, host) = (("X-Tenant", "demo"), ("X-Tenant", "acme"), ("Host", "Acme.Example:8443"));
    let token = async |headers: &[(&str, &str)], password: &str| {
        log_in(&inbox, headers, "admin", password).await.expect(200)["token"].clone()
    };
    assert_eq!(token(&[demo], &inbox.admin.password).await, inbox.admin.token.as_str());
    assert_eq!(token(&[acme], &boss.password).await, boss.token.as_str());
    assert_eq!(token(&[host], &boss.password).await, boss.token.as_str());
    assert_eq!(token(&[host, demo], &boss.password).await, boss.token.as_str());
    // A password is its own tenant's.
    assert_eq!(log_in(&inbox, &[acme], "admin", &inbox.admin.password).await.status, 400);
    for headers in [&[][..], &[("X-Tenant", "nobody")], &[("X-Tenant", "")]] {
        let body = log_in(&inbox, headers, "admin", &inbox.admin.password).await.expect(400);
        assert!(body["reason"].as_str().is_some_and(|reason| reason.contains("X-Tenant")), "{body}");
    }
    // Where the host is a tenant's, the credential must be that tenant's too.
    let ask = async |token: &str| {
        let credential = format!("Token {token}");
        inbox.raw("GET", "users/current/", &[("Authorization", &credential), host], "").await
    };
    let refused = ask(&inbox.admin.token).await;
    assert_eq!((refused.status, refused.text.as_str()), (403, NOT_PROVIDED));
    assert_eq!(ask(&boss.token).await.expect(200)["username"], "admin");
}
