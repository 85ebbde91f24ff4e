//! Contract §E: a new user becomes one by its link.

use chatledger_api::bootstrap::Login;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::NOT_FOUND;
use crate::harness::inbox::Inbox;

/// A new user, and the path of its link.
async fn invited(inbox: &Inbox, username: &str, role: &str) -> (Value, String) {
    let body = json!({"username": username, "profile": {"role": role}});
    let made = inbox.post(&inbox.admin, "users/", body).await.expect(201);
    let url = made["activation_url"].as_str().unwrap();
    (made["id"].clone(), url.strip_prefix(&inbox.http.base_url).unwrap().to_owned())
}

async fn log_in(inbox: &Inbox, username: &str, password: &str) -> u16 {
    let body = json!({"username": username, "password": password});
    inbox.http.call(Method::POST, "auth/token/", None, Some(body)).await.status
}

#[tokio::test]
async fn r_usr_4_an_activation_url_works_once() {
    let inbox = Inbox::start().await;
    for (username, role) in [("ines", "user"), ("rui", "admin"), ("echo", "app")] {
        for method in [Method::GET, Method::POST] {
            let username = format!("{username}{}", method.as_str().to_lowercase());
            let (_, path) = invited(&inbox, &username, role).await;
            let first = inbox.http.call(method.clone(), &path, None, None).await.expect(200);
            if role == "app" {
                // A program needs no password, ever.
                let token = first["token"].as_str().unwrap();
                assert_eq!(first, json!({ "token": token }));
                assert!(token.len() == 40 && token.bytes().all(|b| b.is_ascii_hexdigit()), "{token}");
                let user = inbox.http.call(Method::GET, "users/current/", Some(token), None).await.expect(200);
                assert_eq!(user["username"], json!(username));
            } else {
                assert_eq!(first, json!({"activated": true}));
            }
            for method in [Method::GET, Method::POST] {
                let again = inbox.http.call(method, &path, None, None).await;
                assert_eq!((again.status, again.text.as_str()), (404, NOT_FOUND));
            }
        }
    }
}

#[tokio::test]
async fn r_usr_4_of_parallel_calls_one_activates_on_two_servers() {
    let inbox = Inbox::start().await;
    let other = inbox.beside().await;
    for round in 0..5 {
        let (_, path) = invited(&inbox, &format!("echo{round}"), "app").await;
        let mut calls = JoinSet::new();
        for at in 0..8 {
            let (http, path) = (if at % 2 == 0 { &inbox } else { &other }.http.clone(), path.clone());
            calls.spawn(async move { http.call(Method::POST, &path, None, None).await.status });
        }
        let mut answers = calls.join_all().await;
        answers.sort_unstable();
        assert_eq!(answers, [200, 404, 404, 404, 404, 404, 404, 404]);
    }
    let sql = "SELECT count(*) FROM ledger.events WHERE event_type = 'UserActivated'";
    assert_eq!(inbox.count(sql).await, 3 + 5);
}

#[tokio::test]
async fn r_usr_3_and_6_a_password_may_be_set_before_activation_and_does_not_activate() {
    let inbox = Inbox::start().await;
    let (id, path) = invited(&inbox, "ines", "user").await;
    let password = json!({"password": "a good password"});
    assert_eq!(log_in(&inbox, "ines", "a good password").await, 400);
    inbox.put(&inbox.admin, &format!("users/{id}/password/change/"), password).await.expect(200);
    let told = inbox
        .http
        .call(Method::POST, "auth/token/", None, Some(json!({"username": "ines", "password": "a good password"})))
        .await
        .expect(400);
    assert_eq!(told["non_field_errors"], json!(["Unable to log in with provided credentials."]));
    // It may be shown, but not be given chats.
    inbox.customer_writes("351912000111", "Hello").await;
    let assign = inbox.assign(&inbox.admin, "351912000111", json!({"assigned_to_user": id})).await.expect(400);
    assert_eq!(assign["assigned_to_user"], json!([format!("Invalid pk \"{id}\" - object does not exist.")]));
    inbox.http.call(Method::GET, &path, None, None).await.expect(200);
    assert_eq!(log_in(&inbox, "INES", "a good password").await, 200);
    inbox.assign(&inbox.admin, "351912000111", json!({"assigned_to_user": id})).await.expect(200);
}

#[tokio::test]
async fn r_usr_5_a_code_ends_after_seven_days_and_head_never_activates() {
    let inbox = Inbox::start().await;
    let (id, path) = invited(&inbox, "ines", "user").await;
    let sql = "SELECT extract(epoch FROM valid_until - now())::bigint FROM vault.activation_codes";
    let left = inbox.count(sql).await;
    assert!((7 * 86_400 - 60..=7 * 86_400).contains(&left), "{left}");
    for _ in 0..2 {
        assert_eq!(inbox.http.call(Method::HEAD, &path, None, None).await.status, 200);
    }
    let activated = format!("SELECT count(*) FROM read_models.users WHERE activated AND id = {id}");
    assert_eq!(inbox.count(&activated).await, 0);
    let age = "UPDATE vault.activation_codes SET valid_until = now() - interval '1 second'";
    sqlx::query(age).execute(&inbox.pool).await.unwrap();
    let (_, unknown) = path.rsplit_once("activate/").unwrap();
    let unknown = format!("users/activate/{}{}/", &unknown[..8], "0".repeat(32));
    for path in [path.as_str(), &unknown, "users/activate/x/", "users/activate/é%00é%00é%00/", "users/activate/%ff/"]
    {
        for method in [Method::GET, Method::POST, Method::HEAD] {
            let answer = inbox.http.call(method.clone(), path, None, None).await;
            assert_eq!(answer.status, 404, "{method} {path}");
            assert!(method == Method::HEAD || answer.text == NOT_FOUND, "{method} {path}: {}", answer.text);
        }
    }
    assert_eq!(inbox.count(&activated).await, 0);
}

#[tokio::test]
async fn a_browser_goes_on_to_log_in_and_a_program_gets_its_token() {
    let inbox = Inbox::start().await;
    let browser = ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");
    let (_, path) = invited(&inbox, "ines", "user").await;
    let answer = inbox.raw("GET", &path, &[browser], "").await;
    assert_eq!((answer.status, answer.headers["location"].to_str().unwrap()), (302, "/login/"));
    let (_, path) = invited(&inbox, "echo", "app").await;
    assert!(inbox.raw("GET", &path, &[browser], "").await.expect(200)["token"].is_string());
}

#[tokio::test]
async fn r_usr_2_a_code_is_of_its_own_tenant_and_ends_with_its_user() {
    let inbox = Inbox::start().await;
    inbox.add_tenant("other", "other.example", "555").await;
    let (_, path) = invited(&inbox, "ines", "user").await;
    let answer = inbox.raw("POST", &path, &[("host", "other.example")], "").await;
    assert_eq!((answer.status, answer.text.as_str()), (404, NOT_FOUND));
    inbox.http.call(Method::POST, &path, None, None).await.expect(200);
    let (id, path) = invited(&inbox, "rui", "user").await;
    assert_eq!(inbox.delete(&inbox.admin, &format!("users/{id}/")).await.status, 204);
    assert_eq!(inbox.http.call(Method::POST, &path, None, None).await.status, 404);
    // A credential that is sent along is not looked at.
    let (_, path) = invited(&inbox, "bea", "user").await;
    let nobody = Login { token: "0".repeat(40), ..inbox.agent.clone() };
    inbox.http.call(Method::POST, &path, Some(&nobody.token), None).await.expect(200);
}
