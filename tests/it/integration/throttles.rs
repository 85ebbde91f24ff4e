//! R-LIM-5 and S13: how often who may fail to prove who it is, and what a flood of log-ins does to others.

use std::time::{Duration, Instant};

use chatledger_api::bootstrap::Config;
use futures_util::future::join_all;
use serde_json::json;

use super::{NOT_PROVIDED, credential};
use crate::harness::{http::Answer, inbox::Inbox};

const JSON: (&str, &str) = ("Content-Type", "application/json");
const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

/// As the proxy tells whom it answers.
fn from(address: &str) -> [(&str, &str); 1] {
    [("X-Forwarded-For", address)]
}

/// Wants 429 in the family's form.
#[track_caller]
fn wants_patience(answer: Answer, at_most: u64) {
    assert_eq!(answer.status, 429, "{}", answer.text);
    let wait: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=at_most).contains(&wait), "{wait}");
    let plural = if wait == 1 { "" } else { "s" };
    let told = format!("Request was throttled. Expected available in {wait} second{plural}.");
    assert_eq!(answer.body, json!({ "detail": told }));
}

impl Inbox {
    async fn ask_for_token(&self, username: &str, password: &str, headers: &[(&str, &str)]) -> Answer {
        let body = json!({"username": username, "password": password}).to_string();
        self.raw("POST", "auth/token/", &[&[JSON], headers].concat(), &body).await
    }

    async fn log_in_by_form(&self, username: &str, password: &str, headers: &[(&str, &str)]) -> Answer {
        let body = format!("username={username}&password={password}&csrfmiddlewaretoken=abc");
        self.raw("POST", "/login/", &[&[FORM, ("Cookie", "csrftoken=abc")], headers].concat(), &body).await
    }
}

#[tokio::test]
async fn r_lim_5_bad_credentials_of_any_kind_from_one_address_come_to_an_end() {
    let inbox = Inbox::start_with(|config| config.failed_authentications_per_minute = 6).await;
    let ask = async |headers: &[(&str, &str)]| inbox.raw("GET", "users/current/", headers, "").await;
    let (token, key, cookie) = (("Authorization", "Token x"), ("D360-Api-Key", "x"), ("Cookie", "sessionid=x"));
    // Nothing that is looked at is no failure.
    for _ in 0..8 {
        assert_eq!(ask(&[("Authorization", "Bearer x")]).await.text, NOT_PROVIDED);
    }
    for bad in [token, key, cookie] {
        assert_eq!(ask(&[bad]).await.status, 403);
    }
    assert_eq!(inbox.ask_for_token("agent", "wrong", &[]).await.status, 400);
    assert_eq!(inbox.log_in_by_form("bot", "wrong", &[]).await.status, 200);
    let refresh = json!({"refresh_token": "x"}).to_string();
    assert_eq!(inbox.raw("POST", "auth/convert_refresh_token/", &[JSON], &refresh).await.status, 400);
    for bad in [token, key, cookie] {
        wants_patience(ask(&[bad]).await, 60);
    }
    wants_patience(inbox.raw("POST", "auth/convert_refresh_token/", &[JSON], &refresh).await, 60);
    wants_patience(inbox.ask_for_token("admin", &inbox.admin.password, &[]).await, 60);
    wants_patience(inbox.log_in_by_form("admin", "x", &[]).await, 60);
    // Whoever shares the address and has a good credential goes on.
    let good = credential(&inbox.agent);
    assert_eq!(ask(&[("Authorization", &good)]).await.status, 200);
    assert_eq!(ask(&[("Authorization", &good), key]).await.status, 200);
    assert_eq!(ask(&[]).await.text, NOT_PROVIDED);
}

#[tokio::test]
async fn r_lim_5_three_hundred_a_minute_unless_told() {
    // A try that takes longer than a minute on a busy machine counts anew, and says nothing.
    for _ in 0..3 {
        let inbox = Inbox::start_with(|config| {
            let defaults = Config::load(None).expect("the defaults are valid");
            config.failed_authentications_per_minute = defaults.failed_authentications_per_minute;
        })
        .await;
        let (since, mut refused) = (Instant::now(), 0);
        for _ in 0..10 {
            let ask = || inbox.raw("GET", "tags/", &[("Authorization", "Token x")], "");
            let answers = join_all((0..31).map(|_| ask())).await;
            assert!(answers.iter().all(|answer| matches!(answer.status, 403 | 429)));
            refused += answers.iter().filter(|answer| answer.status == 429).count();
        }
        if since.elapsed() < Duration::from_secs(60) {
            assert_eq!(refused, 10);
            return;
        }
    }
    panic!("310 requests never fit into a minute");
}

#[tokio::test]
async fn s13_both_log_ins_share_the_ten_tries_of_a_name() {
    let inbox = Inbox::start().await;
    for number in 0..5 {
        assert_eq!(inbox.ask_for_token("agent", &format!("wrong {number}"), &[]).await.status, 400);
        assert_eq!(inbox.log_in_by_form("AGENT", "wrong", &[]).await.status, 200);
    }
    wants_patience(inbox.ask_for_token("agent", &inbox.agent.password, &[]).await, 900);
    wants_patience(inbox.log_in_by_form("agent", &inbox.agent.password, &[]).await, 900);
    // A header that anybody can write changes nothing while no proxy is believed.
    let spoofed = [("X-Forwarded-For", "203.0.113.9")];
    wants_patience(inbox.ask_for_token("agent", &inbox.agent.password, &spoofed).await, 900);
    assert_eq!(inbox.log_in_by_form("admin", &inbox.admin.password, &[]).await.status, 302);
}

#[tokio::test]
async fn s13_nobody_is_locked_out_from_elsewhere() {
    let inbox = Inbox::start_with(|config| config.trust_proxy = true).await;
    // One client owns all of its network; what it claims before the proxy's own word does not count.
    for number in 0..10 {
        let address = format!("203.0.113.{number}, 2001:db8:1:2::{number}");
        assert_eq!(inbox.ask_for_token("agent", "wrong", &from(&address)).await.status, 400);
    }
    let password = &inbox.agent.password;
    wants_patience(inbox.ask_for_token("agent", password, &from("2001:db8:1:2:ffff::1")).await, 900);
    for address in ["2001:db8:1:3::1", "203.0.113.1", "::ffff:203.0.113.1"] {
        assert_eq!(inbox.ask_for_token("agent", password, &from(address)).await.status, 200, "{address}");
    }
}

#[tokio::test]
async fn s9_a_flood_of_log_ins_is_told_to_come_again() {
    let inbox = Inbox::start().await;
    let flood = join_all((0..120).map(|number| {
        let inbox = &inbox;
        async move { inbox.ask_for_token(&format!("nobody{number}"), "wrong", &[]).await }
    }));
    let answers = flood.await;
    assert!(answers.iter().all(|answer| matches!(answer.status, 400 | 429)));
    let busy = answers.into_iter().filter(|answer| answer.status == 429).collect::<Vec<_>>();
    assert!(!busy.is_empty());
    for answer in busy {
        wants_patience(answer, 1);
    }
    assert_eq!(inbox.ask_for_token("agent", &inbox.agent.password, &[]).await.status, 200);
}
