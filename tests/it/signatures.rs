//! R-OUT-2 and S6: secrets of webhooks through the door that makes them, and receivers that verify what is signed with
//! them: a library of somebody else's, and the program that the README shows.

use std::{process::Stdio, sync::Arc, time::Duration};

use chatledger_application::endpoints::CallTarget;
use chatledger_domain::{SecretId, TenantId};
use chatledger_infrastructure::{
    addresses::{AddressGuard, Rules},
    deliveries::caller::{Caller, Outcome},
    system::SystemClock,
};
use chatledger_projections::{TenantDirectory, Watch};
use hmac::{Hmac, Mac};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use sha2::Sha256;
use standardwebhooks::Webhook;
use tokio::process::{Child, Command};
use uuid::Uuid;

use crate::harness::{
    inbox::{Inbox, now},
    receiver::{Call, Manner, Receiver},
};

const DAY: i64 = 24 * 3600;
const BODY: &str = r#"{"incoming_messages":[{"waba_payload":{"text":{"body":"Está pronto?"}}}]}"#;

/// A caller that may call this machine.
fn caller(inbox: &Inbox) -> Caller {
    let allow_nets = vec!["127.0.0.0/8".parse().expect("a network")];
    let guard = AddressGuard::new(Rules { allow_http: true, allow_nets, ..Rules::default() });
    let directory = TenantDirectory::new(inbox.pool.clone(), Watch::default());
    Caller::new(Arc::new(guard), Arc::new(directory), Arc::new(SystemClock)).expect("TLS")
}

/// Registers the agent's webhook; where it is.
async fn register(inbox: &Inbox, url: &str) -> String {
    let made = inbox.post(&inbox.agent, "webhooks/waba/", json!({"url": url, "headers": {"X-Key": "v"}})).await;
    format!("webhooks/waba/{}/", made.expect(201)["id"])
}

async fn rotate(inbox: &Inbox, hook: &str) -> (String, Value) {
    let made = inbox.post(&inbox.agent, &format!("{hook}signing_secret/"), json!({})).await.expect(201);
    (made["secret"].as_str().expect("a secret").to_owned(), made["previous_valid_until"].clone())
}

/// What is called, as it is sealed now.
async fn sealed(inbox: &Inbox) -> CallTarget {
    let sql = "SELECT (payload -> 'endpoint' ->> 'secret')::uuid FROM ledger.events \
               WHERE aggregate_type = 'WebhookSubscription' ORDER BY position DESC LIMIT 1";
    let id = SecretId(sqlx::query_scalar(sql).fetch_one(&inbox.pool).await.expect("a webhook"));
    let tools = inbox.tools().await;
    let targets = tools.application.call_targets(TenantId(inbox.tenant), &[id]).await;
    tools.close().await;
    targets.expect("the vault").remove(&id).expect("a target")
}

async fn deliver(inbox: &Inbox, id: Uuid, attempt: u32) -> Outcome {
    caller(inbox).call(&sealed(inbox).await, id, attempt, BODY.into()).await
}

fn verifies(call: &Call, secret: &str) -> bool {
    let header = |(name, value): (&String, &String)| {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
        (name, HeaderValue::from_bytes(value.as_bytes()).expect("a value"))
    };
    let headers: HeaderMap = call.headers.iter().map(header).collect();
    Webhook::new(secret).expect("a secret of Standard Webhooks").verify(&call.raw, &headers).is_ok()
}

#[tokio::test]
async fn s6_r_out_2_calls_are_signed_with_both_secrets_while_they_rotate() {
    let (inbox, receiver) = (Inbox::start().await, Receiver::start().await);
    let hook = register(&inbox, &receiver.url).await;
    assert!(deliver(&inbox, Uuid::from_u128(1), 1).await.is_success());
    assert_eq!(receiver.calls()[0].header("webhook-signature"), "", "without a secret nothing is signed");
    let (first, before) = rotate(&inbox, &hook).await;
    assert_eq!(before, Value::Null);
    assert!(first.starts_with("whsec_") && first.len() == 50, "{} characters", first.len());
    let (second, before) = rotate(&inbox, &hook).await;
    let until = before.as_i64().expect("a time");
    assert!((now() + DAY - 60..=now() + DAY).contains(&until), "{until}");
    // Another change of the webhook keeps them.
    inbox.patch(&inbox.agent, &hook, json!({"headers": {"X-Key": "w"}})).await.expect(200);
    inbox.put(&inbox.agent, &hook, json!({"url": receiver.url, "on_assigned": true})).await.expect(200);
    let id = Uuid::from_u128(2);
    for attempt in 1..=2 {
        assert!(deliver(&inbox, id, attempt).await.is_success());
    }
    let calls = receiver.wait_for(3).await;
    for (attempt, call) in (1..).zip(&calls[1..]) {
        assert!(verifies(call, &first) && verifies(call, &second), "{:?}", call.headers);
        assert!(!verifies(call, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
        let mut altered = call.clone();
        altered.raw[0] ^= 1;
        assert!(!verifies(&altered, &second));
        assert_eq!(
            (call.header("webhook-id"), call.header("x-chatledger-delivery")),
            (&*id.to_string(), &*id.to_string())
        );
        assert_eq!((call.header("x-chatledger-attempt"), call.header("x-key")), (&*format!("{attempt}"), "w"));
        assert_eq!((call.raw.as_slice(), &*call.path), (BODY.as_bytes(), "/hook?auth=s3cr3t"));
    }
    // A third one, and a fourth: three sign at most. Removed: none.
    let (third, _) = rotate(&inbox, &hook).await;
    let (fourth, _) = rotate(&inbox, &hook).await;
    assert!(deliver(&inbox, id, 3).await.is_success());
    let call = receiver.wait_for(4).await.remove(3);
    assert_eq!([&first, &second, &third, &fourth].map(|secret| verifies(&call, secret)), [false, true, true, true]);
    assert_eq!(inbox.delete(&inbox.agent, &format!("{hook}signing_secret/")).await.status, 204);
    assert!(deliver(&inbox, id, 4).await.is_success());
    assert_eq!(receiver.wait_for(5).await[4].header("webhook-signature"), "");
    assert_eq!(inbox.count("SELECT count(*) FROM vault.sealed").await, 1, "only what stands is kept");
    let secrets = [first, second, third, fourth].map(|secret| secret["whsec_".len()..].to_owned());
    for secret in secrets {
        let sql = format!("SELECT count(*) FROM ledger.events WHERE payload::text LIKE '%{secret}%'");
        assert_eq!(inbox.count(&sql).await, 0, "no secret in the ledger");
    }
}

#[tokio::test]
async fn r_out_2_an_app_secret_signs_as_whatsapp_does() {
    let (inbox, receiver) = (Inbox::start().await, Receiver::start().await);
    let hook = register(&inbox, &receiver.url).await;
    let path = format!("{hook}app_secret/");
    let shown = inbox.put(&inbox.admin, &path, json!({"app_secret": "canary of an app"})).await.expect(200);
    assert_eq!(shown, json!({"secrets": [], "app_secret": true}));
    assert!(deliver(&inbox, Uuid::from_u128(1), 1).await.is_success());
    let call = receiver.wait_for(1).await.remove(0);
    let mut mac = Hmac::<Sha256>::new_from_slice(b"canary of an app").expect("any length");
    mac.update(&call.raw);
    let expected = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    assert_eq!(call.header("x-hub-signature-256"), expected);
    for (body, text) in [(json!({}), "This field is required."), (json!({"app_secret": []}), "Not a valid string.")] {
        assert_eq!(inbox.put(&inbox.agent, &path, body).await.expect(400)["app_secret"], json!([text]));
    }
    for nothing in [json!(null), json!("")] {
        inbox.put(&inbox.agent, &path, json!({"app_secret": "x"})).await.expect(200);
        let shown = inbox.put(&inbox.agent, &path, json!({"app_secret": nothing})).await.expect(200);
        assert_eq!(shown["app_secret"], false);
    }
    assert!(deliver(&inbox, Uuid::from_u128(2), 1).await.is_success());
    assert_eq!(receiver.wait_for(2).await[1].header("x-hub-signature-256"), "");
}

#[tokio::test]
async fn secrets_are_the_owners_and_the_admins_and_shown_once() {
    let (inbox, receiver) = (Inbox::start().await, Receiver::start().await);
    let hook = register(&inbox, &receiver.url).await;
    let (signing, app) = (format!("{hook}signing_secret/"), format!("{hook}app_secret/"));
    let (first, _) = rotate(&inbox, &hook).await;
    let second = inbox.post(&inbox.admin, &signing, json!({})).await.expect(201);
    let second = second["secret"].as_str().expect("a secret");
    for by in [&inbox.agent, &inbox.admin] {
        let shown = inbox.get(by, &signing).await;
        assert!(!shown.text.contains(&first) && !shown.text.contains(second));
        let shown = shown.expect(200);
        assert_eq!((&shown["app_secret"], shown["secrets"].as_array().map(Vec::len)), (&json!(false), Some(2)));
        assert_eq!(shown["secrets"][0], json!({"last_four": second[46..], "valid_until": null}));
        assert_eq!(shown["secrets"][1]["last_four"], first[46..]);
    }
    for answer in [
        inbox.get(&inbox.bot, &signing).await,
        inbox.post(&inbox.bot, &signing, json!({})).await,
        inbox.delete(&inbox.bot, &signing).await,
        inbox.put(&inbox.bot, &app, json!({})).await,
        inbox.get(&inbox.admin, "webhooks/waba/999999/signing_secret/").await,
    ] {
        assert_eq!((answer.status, &*answer.text), (404, r#"{"detail":"Not found."}"#));
    }
    // Parallel changes undo nothing of each other.
    let header = json!({"headers": {"X-Key": "parallel"}});
    let secret = json!({"app_secret": "parallel"});
    let (patched, made, set) = tokio::join!(
        inbox.patch(&inbox.agent, &hook, header),
        inbox.post(&inbox.admin, &signing, json!({})),
        inbox.put(&inbox.admin, &app, secret)
    );
    let third = made.expect(201)["secret"].clone();
    assert_eq!((patched.status, set.status), (200, 200));
    let target = sealed(&inbox).await;
    assert_eq!((target.headers["X-Key"].as_str(), target.app_secret.as_deref()), ("parallel", Some("parallel")));
    assert_eq!((json!(target.signing[0].secret), target.signing.len()), (third, 3));
    assert_eq!(inbox.count("SELECT count(*) FROM vault.sealed").await, 1);
}

#[tokio::test]
async fn r_out_1_r_out_3_json_is_posted_and_who_misbehaves_costs_a_bounded_time() {
    let inbox = Inbox::start().await;
    let manners = [
        (Manner::status(204), true),
        (Manner::status(302), false),
        (Manner::status(500), false),
        (Manner::Slow(Duration::from_secs(2)), true),
        (Manner::Silent, false),
        (Manner::Drip, true),
        (Manner::Endless, true),
        (Manner::Bomb, true),
        (Manner::Reset, false),
        (Manner::Garbage, false),
    ];
    let caller = caller(&inbox);
    let calls = manners.map(|(manner, success)| {
        let caller = &caller;
        async move {
            let receiver = Receiver::with(manner.clone()).await;
            let target = CallTarget { url: receiver.url.clone(), ..CallTarget::default() };
            let outcome = caller.call(&target, Uuid::nil(), 1, BODY.into()).await;
            assert_eq!(outcome.is_success(), success, "{manner:?}: {outcome:?}");
            assert!(outcome.took < Duration::from_secs(13) && outcome.answer.len() <= 1024, "{manner:?}: {outcome:?}");
            assert!(!format!("{outcome:?}").contains("s3cr3t"));
            let calls = receiver.calls();
            assert_eq!((calls.len(), calls[0].header("content-type")), (1, "application/json"), "{manner:?}");
            assert_eq!(calls[0].raw, BODY.as_bytes());
        }
    });
    futures_util::future::join_all(calls).await;
}

/// The program of the README, word for word.
fn program() -> &'static str {
    let readme = include_str!("../../README.md");
    let mut blocks = readme.split("```python\n").skip(1).filter_map(|rest| rest.split("\n```").next());
    blocks.find(|block| block.contains("webhook-signature")).expect("the README shows a receiver")
}

/// Runs it at a free port.
async fn run_program(secrets: &str) -> (Child, String) {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("an address");
    let mut command = Command::new("python3");
    command.args(["-u", "-c", program()]).env("PORT", free.port().to_string()).env("WEBHOOK_SECRETS", secrets);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true).spawn();
    let child = child.expect("python3 is needed for this test: install it (.ci/run does)");
    for _ in 0..200 {
        if tokio::net::TcpStream::connect(free).await.is_ok() {
            return (child, format!("http://{free}/hook"));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the receiver does not listen");
}

#[tokio::test]
async fn s6_the_receiver_of_the_readme_verifies_our_calls_and_refuses_others() {
    assert!(program().lines().count() <= 22, "a program that people read");
    let inbox = Inbox::start().await;
    // Rotated once: the receiver knows the old secret only, which is what the overlap is for.
    let hook = register(&inbox, "http://127.0.0.1:18080/").await;
    let (old, _) = rotate(&inbox, &hook).await;
    rotate(&inbox, &hook).await;
    let (child, url) = run_program(&old).await;
    inbox.patch(&inbox.agent, &hook, json!({ "url": url })).await.expect(200);
    let id = Uuid::from_u128(77);
    for attempt in 1..=2 {
        let outcome = deliver(&inbox, id, attempt).await;
        assert_eq!(outcome.status, Some(204), "{outcome:?}");
    }
    // Nobody else's calls: unsigned, badly signed, not ours.
    let unsigned = CallTarget { url: url.clone(), ..CallTarget::default() };
    assert_eq!(caller(&inbox).call(&unsigned, id, 1, BODY.into()).await.status, Some(401));
    let mut other = unsigned.clone();
    other.signing = sealed(&inbox).await.signing;
    other.signing.truncate(1);
    assert_eq!(
        caller(&inbox).call(&other, id, 1, BODY.into()).await.status,
        Some(401),
        "signed with the new secret only"
    );
    for (name, value) in [("webhook-signature", "v1,é"), ("webhook-signature", ""), ("x", "y")] {
        let post = inbox.http.raw.post(&url).header(name, value).body("{}").send().await.expect("an answer");
        assert_eq!(post.status(), 401);
    }
    let mut child = child;
    child.start_kill().expect("ours");
    let output = child.wait_with_output().await.expect("it ends");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(told.lines().count(), 1, "the second attempt is known: {told}");
    assert!(told.contains(&id.to_string()) && told.contains("incoming_messages"), "{told}");
}
