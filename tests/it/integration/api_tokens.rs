//! R-TOK-1 … R-TOK-3: tokens for programs, as admins manage them. What they open is tested with the APIs they open.

use chatledger_domain::{Role, api_token::ABILITIES};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{FORBIDDEN, NOT_FOUND, column, credential, keys};
use crate::harness::inbox::{Inbox, now};

const ACCESS: &str = "settings/api_access/";
const TOKENS: &str = "settings/api_tokens/";

#[tokio::test]
async fn r_tok_1_api_access_is_a_switch_off_at_first() {
    let inbox = Inbox::start().await;
    let admin = &inbox.admin;
    assert_eq!(inbox.get(admin, ACCESS).await.expect(200), json!({"enabled": false}));
    for enabled in [true, true, false] {
        assert_eq!(
            inbox.put(admin, ACCESS, json!({"enabled": enabled})).await.expect(200),
            json!({"enabled": enabled})
        );
        assert_eq!(inbox.get(admin, ACCESS).await.expect(200), json!({"enabled": enabled}));
    }
    let events = "SELECT count(*) FROM ledger.events WHERE event_type = 'TenantSettingsChanged'";
    assert_eq!(inbox.count(events).await, 2);
    for (body, text) in [
        (json!({}), "This field is required."),
        (json!({"enabled": null}), "This field may not be null."),
        (json!({"enabled": "maybe"}), "Must be a valid boolean."),
    ] {
        assert_eq!(inbox.put(admin, ACCESS, body).await.expect(400)["enabled"], json!([text]));
    }
    let headers = [("Authorization", &*credential(admin)), ("Content-Type", "application/x-www-form-urlencoded")];
    assert_eq!(inbox.raw("PUT", ACCESS, &headers, "enabled=True").await.expect(200), json!({"enabled": true}));
}

#[tokio::test]
async fn r_tok_2_a_token_is_shown_once_and_only_its_hash_is_kept() {
    let inbox = Inbox::start().await;
    let admin = &inbox.admin;
    let end = now() + 3_600;
    let body =
        json!({"name": " ERP ", "abilities": ["contacts.read", "messages.send", "contacts.read"], "expires_at": end});
    let answer = inbox.post(admin, TOKENS, body).await;
    assert_eq!(keys(&answer.text), "id name abilities created_at expires_at last_four token");
    let made = answer.expect(201);
    let token = made["token"].as_str().expect("a token").to_owned();
    assert!(token.len() == 64 && token.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)), "{token}");
    assert_eq!(token[..8], inbox.tenant.simple().to_string()[..8], "it leads to its tenant");
    assert_eq!((&made["name"], &made["abilities"]), (&json!("ERP"), &json!(["contacts.read", "messages.send"])));
    assert_eq!((&made["last_four"], &made["expires_at"]), (&json!(token[60..]), &json!(end)));
    assert!((now() - made["created_at"].as_i64().expect("a time")).abs() <= 60);
    let page = inbox.page(admin, TOKENS).await;
    let mut shown = made.clone();
    shown.as_object_mut().expect("an object").remove("token");
    assert_eq!(page, json!({"count": 1, "next": null, "previous": null, "results": [shown]}));
    // Another of the same name is another token.
    let other = inbox.post(admin, TOKENS, json!({"name": "ERP"})).await.expect(201);
    assert_ne!(other["token"], made["token"]);
    assert_eq!(other["abilities"], json!(ABILITIES), "all of them where none is named");
    assert_eq!(other["expires_at"], Value::Null);
    let hash: Vec<u8> = sqlx::query_scalar("SELECT token_hash FROM vault.api_tokens ORDER BY stream LIMIT 1")
        .fetch_one(&inbox.pool)
        .await
        .expect("a hash");
    assert_eq!(hash, Sha256::digest(token.as_bytes()).to_vec());
}

#[tokio::test]
async fn r_tok_3_a_token_is_revoked_by_path_or_query() {
    let inbox = Inbox::start().await;
    let admin = &inbox.admin;
    let mut ids = Vec::new();
    for name in ["a", "b", "c"] {
        ids.push(inbox.post(admin, TOKENS, json!({"name": name})).await.expect(201)["id"].as_i64().expect("an id"));
    }
    assert_eq!(inbox.delete(admin, &format!("{TOKENS}{}/", ids[0])).await.status, 204);
    assert_eq!(inbox.delete(admin, &format!("{TOKENS}?id={}", ids[1])).await.status, 204);
    assert_eq!(column(&inbox.page(admin, TOKENS).await, "/id"), [json!(ids[2])]);
    assert_eq!(inbox.count("SELECT count(*) FROM vault.api_tokens").await, 1, "the hashes are forgotten");
    for path in [
        format!("{TOKENS}{}/", ids[0]),
        format!("{TOKENS}?id={}", ids[1]),
        format!("{TOKENS}999999/"),
        format!("{TOKENS}1/"),
        format!("{TOKENS}x/"),
    ] {
        let answer = inbox.delete(admin, &path).await;
        assert_eq!((answer.status, answer.text.as_str()), (404, NOT_FOUND), "{path}");
    }
    assert_eq!(inbox.delete(admin, TOKENS).await.expect(400)["id"], json!(["This field is required."]));
    let told = inbox.delete(admin, &format!("{TOKENS}?id=x")).await.expect(400);
    assert_eq!(told["id"], json!(["A valid integer is required."]));
}

#[tokio::test]
async fn a_token_that_does_not_fit_is_refused() {
    let inbox = Inbox::start().await;
    let cases = [
        (json!({}), "name", "This field is required."),
        (json!({"name": " "}), "name", "This field may not be blank."),
        (json!({"name": "é".repeat(256)}), "name", "Ensure this field has no more than 255 characters."),
        (json!({"name": "a\u{0}"}), "name", "Null characters are not allowed."),
        (
            json!({"name": "x", "abilities": "contacts.read"}),
            "abilities",
            "Expected a list of items but got type \"str\".",
        ),
        (json!({"name": "x", "abilities": null}), "abilities", "This field may not be null."),
        (json!({"name": "x", "abilities": []}), "abilities", "This list may not be empty."),
        (json!({"name": "x", "abilities": ["everything"]}), "abilities", "\"everything\" is not a valid choice."),
        (json!({"name": "x", "abilities": [1]}), "abilities", "Not a valid string."),
        (json!({"name": "x", "expires_at": 5}), "expires_at", "Ensure this value is in the future."),
        (json!({"name": "x", "expires_at": "soon"}), "expires_at", "A valid integer is required."),
    ];
    for (body, field, text) in cases {
        let told = inbox.post(&inbox.admin, TOKENS, body.clone()).await.expect(400);
        assert_eq!(told, json!({field: [text], "reason": format!("{field}: {text}")}), "{body}");
    }
    assert_eq!(inbox.total(&inbox.admin, TOKENS).await, 0);
    assert_eq!(inbox.count("SELECT count(*) FROM vault.api_tokens").await, 0);
}

#[tokio::test]
async fn tokens_are_for_admins_of_their_own_inbox() {
    let inbox = Inbox::start().await;
    inbox.add_tenant("other", "other.example", "5555").await;
    let stranger = inbox.add_user_to("other", "stranger", Role::Admin).await;
    let id = inbox.post(&inbox.admin, TOKENS, json!({"name": "x"})).await.expect(201)["id"].clone();
    let path = format!("{TOKENS}{id}/");
    for (method, path, body) in [
        (Method::GET, ACCESS, None),
        (Method::PUT, ACCESS, Some(json!({"enabled": true}))),
        (Method::GET, TOKENS, None),
        (Method::POST, TOKENS, Some(json!({"name": "x"}))),
        (Method::DELETE, TOKENS, None),
        (Method::DELETE, &*path, None),
    ] {
        for by in [&inbox.agent, &inbox.bot] {
            let answer = inbox.http.call(method.clone(), path, Some(&by.token), body.clone()).await;
            assert_eq!((answer.status, answer.text.as_str()), (403, FORBIDDEN), "{method} {path}");
        }
    }
    let answer = inbox.delete(&stranger, &path).await;
    assert_eq!((answer.status, answer.text.as_str()), (404, NOT_FOUND));
    assert_eq!(inbox.total(&stranger, TOKENS).await, 0);
    inbox.put(&stranger, ACCESS, json!({"enabled": true})).await.expect(200);
    assert_eq!(inbox.get(&inbox.admin, ACCESS).await.expect(200), json!({"enabled": false}));
    assert_eq!(inbox.total(&inbox.admin, TOKENS).await, 1);
}
