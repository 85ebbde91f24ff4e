//! R-SVC-1, 2, 4, 5 and R-JWT-1, 2, 4: who is let in, and the form of what is told.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chatledger_domain::Role;
use hmac::{Hmac, Mac};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;

use super::shop::{ANA, NOBODY, RUI, Shop, bearer};
use crate::harness::inbox::{Inbox, now};

const SECRET: &str = "a shared secret of more than 32 bytes";

fn base64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A token as others make them.
fn token(header: &Value, claims: &Value, secret: &str) -> String {
    let signed = format!("{}.{}", base64(header.to_string().as_bytes()), base64(claims.to_string().as_bytes()));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(signed.as_bytes());
    format!("{signed}.{}", base64(&mac.finalize().into_bytes()))
}

fn hs256(claims: &Value) -> String {
    token(&json!({"alg": "HS256", "typ": "JWT"}), claims, SECRET)
}

async fn with_secret() -> Inbox {
    Inbox::start_with(|config| config.service_api.jwt_secret = Some(SECRET.to_owned())).await
}

async fn ask(inbox: &Inbox, token: Option<&str>, path: &str) -> crate::harness::http::Answer {
    let mut request = inbox.http.raw.get(inbox.http.url(&format!("whatsapp/{path}")));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    inbox.http.send(request).await
}

#[tokio::test]
async fn r_jwt_1_everything_needs_a_good_token() {
    let inbox = with_secret().await;
    let shop = inbox.tenant.to_string();
    let path = format!("conversations?shopId={shop}");
    let good = json!({"sub": "crm", "exp": now() + 600, "shops": [shop]});
    ask(&inbox, Some(&hs256(&good)), &path).await.expect(200);
    let old = json!({"sub": "crm", "exp": now() - 61, "shops": [shop]});
    let none = token(&json!({"alg": "none"}), &good, SECRET);
    let unsigned = format!("{}.", none.rsplit_once('.').unwrap().0);
    let forged = token(&json!({"alg": "HS256"}), &good, "some other secret of more than 32 bytes");
    for bad in [None, Some("x"), Some(&*hs256(&old)), Some(&*none), Some(&*unsigned), Some(&*forged)] {
        let answer = ask(&inbox, bad, &path).await;
        assert_eq!(
            (answer.status, &answer.body),
            (
                401,
                &json!({"success": false, "data": null, "error": "Unauthorized", "pagination": null,
                        "details": {"code": "INVALID_TOKEN"}})
            ),
            "{bad:?}"
        );
    }
    // The other family's credential is none here.
    let request = inbox.http.raw.get(inbox.http.url(&format!("whatsapp/{path}")));
    let answer = inbox.http.send(request.header("Authorization", format!("Token {}", inbox.admin.token))).await;
    assert_eq!(answer.status, 401);
}

#[tokio::test]
async fn r_jwt_1_times_may_have_fractions_and_a_sub_must_be_a_name() {
    let inbox = with_secret().await;
    let path = format!("conversations?shopId={}", inbox.tenant);
    let token = |sub: &str, exp: Value, begins: Value| {
        hs256(&json!({"sub": sub, "exp": exp, "nbf": begins, "iat": begins, "shops": [inbox.tenant]}))
    };
    let (later, before) = (json!(now() as f64 + 600.5), json!(now() as f64 - 1.5));
    ask(&inbox, Some(&token("crm", later.clone(), before.clone())), &path).await.expect(200);
    for sub in ["", " ", "c\0rm", "c\nrm", &"x".repeat(256)] {
        let answer = ask(&inbox, Some(&token(sub, later.clone(), before.clone())), &path).await;
        assert_eq!(answer.expect(401)["details"]["code"], "INVALID_TOKEN", "{sub:?}");
    }
}

#[tokio::test]
async fn r_jwt_2_a_shop_that_the_token_does_not_name_is_unknown() {
    let inbox = with_secret().await;
    inbox.customer_writes(RUI, "Hello").await;
    inbox.settle().await;
    let shop = inbox.tenant.to_string();
    let claims = |shops: Value| hs256(&json!({"sub": "crm", "exp": now() + 600, "shops": shops}));
    let all = claims(json!(["*"]));
    let listed = ask(&inbox, Some(&all), &format!("conversations?shopId={shop}")).await.expect(200);
    let id = listed["data"]["conversations"][0]["id"].as_str().unwrap().to_owned();
    ask(&inbox, Some(&all), &format!("conversations/{id}")).await.expect(200);
    let unknown = ask(&inbox, Some(&all), &format!("conversations?shopId={}", uuid::Uuid::new_v4())).await;
    for shops in [json!([]), json!([uuid::Uuid::new_v4()])] {
        let foreign = claims(shops);
        let answer = ask(&inbox, Some(&foreign), &format!("conversations?shopId={shop}")).await;
        assert_eq!((answer.status, &answer.body), (404, &unknown.body));
        let answer = ask(&inbox, Some(&foreign), &format!("conversations/{id}")).await;
        assert_eq!((answer.status, &answer.body), (404, &unknown.body));
    }
}

#[tokio::test]
async fn r_jwt_3_a_service_acts_under_its_name_and_what_is_refused_records_nothing() {
    let inbox = with_secret().await;
    inbox.customer_wrote(ANA, "Hello", now() - 90_000).await;
    inbox.customer_writes(RUI, "Hello").await;
    let text = |text: &str| json!({"content": {"type": "text", "text": text}});
    inbox.settle().await;
    let token = hs256(&json!({"sub": "crm", "exp": now() + 600, "shops": [inbox.tenant]}));
    let listed = ask(&inbox, Some(&token), &format!("conversations?shopId={}", inbox.tenant)).await.expect(200);
    let id = listed["data"]["conversations"][0]["id"].as_str().unwrap().to_owned();
    let users = "SELECT count(*) FROM read_models.users WHERE username = 'crm'";
    assert_eq!(inbox.count(users).await, 0, "nobody is made for a question");
    // What is refused, and what changes nothing, records nothing at all: of the caller neither.
    let old = listed["data"]["conversations"][1]["id"].as_str().unwrap().to_owned();
    let (customer, stranger) = (format!("customers/{RUI}"), format!("customers/{NOBODY}"));
    for (method, path, body, status) in [
        (Method::POST, format!("conversations/{old}/messages"), text("Too late"), 422),
        (Method::POST, format!("conversations/{old}/close"), json!({}), 422),
        (Method::POST, format!("conversations/{id}/assign"), json!({"agentId": "999999"}), 422),
        (Method::PUT, format!("{stranger}/opt-in"), json!({"status": "opted_in", "source": "web"}), 404),
        (Method::PUT, format!("{stranger}/tags"), json!({"addTags": ["vip"]}), 404),
        (Method::PUT, format!("{customer}/tags"), json!({"removeTags": ["vip"]}), 200),
    ] {
        let url = inbox.http.url(&format!("whatsapp/{path}?shopId={}", inbox.tenant));
        let request = inbox.http.raw.request(method, url).header("X-Request-ID", "refused").bearer_auth(&token);
        let answer = inbox.http.send(request.json(&body)).await;
        let recorded = (inbox.recorded_by("refused").await, inbox.count(users).await);
        assert_eq!((answer.status, recorded), (status, (0, 0)), "{path} {body}: {}", answer.text);
    }
    let say = |said| {
        let url = inbox.http.url(&format!("whatsapp/conversations/{id}/messages"));
        inbox.http.send(inbox.http.raw.post(url).bearer_auth(&token).json(&text(said)))
    };
    let both = tokio::join!(say("One"), say("Two"));
    both.0.expect(200);
    both.1.expect(200);
    // With what it did, in the history of the same request.
    let made_by_its_request = "SELECT count(*) FROM ledger.events made JOIN ledger.events sent
        ON made.metadata->>'correlation_id' = sent.metadata->>'correlation_id'
        WHERE made.event_type = 'UserCreated' AND sent.event_type = 'MessageQueued'";
    assert_eq!(inbox.count(made_by_its_request).await, 1);
    assert_eq!(inbox.count(users).await, 1);
    let sent = inbox.get(&inbox.admin, &format!("messages/?wa_id={RUI}")).await.expect(200);
    assert_eq!(sent["results"][0]["sender"]["username"], "crm");
}

#[tokio::test]
async fn r_jwt_3_a_token_of_ours_acts_as_its_user_while_that_has_the_role_for_it() {
    let shop = Shop::start().await;
    let inbox = &shop.inbox;
    inbox.customer_writes(RUI, "Hello").await;
    inbox.settle().await;
    let second = inbox.add_user("second", Role::Admin).await;
    let token = bearer(inbox, &second).await;
    let id = shop.conversation(RUI).await;
    let text = json!({"content": {"type": "text", "text": "Hi"}});
    shop.act(&token, &id, "messages", text.clone()).await.expect(200);
    let sent = inbox.get(&inbox.admin, &format!("messages/?wa_id={RUI}")).await.expect(200);
    assert_eq!(sent["results"][0]["sender"]["id"], json!(second.id));
    let account = format!("accounts/{}", inbox.tenant);
    let by_user = format!(
        "SELECT count(*) FROM ledger.events WHERE event_type = 'AccountDisconnected'
             AND (metadata->'actor'->>'id')::bigint = {}",
        second.id
    );
    shop.bare(Method::DELETE, &token, &account, None).await.expect(200);
    assert_eq!(inbox.count(&by_user).await, 1);
    let number = json!({"shopId": inbox.tenant, "phoneNumberId": inbox.phone_number_id,
                        "accessToken": inbox.sandbox_state()["access_token"]});
    // Its role is another now, then its access ends: the token finds no shop.
    for gone in ["role = 'user'", "role = 'admin', deactivated = true"] {
        inbox.user_is("second", gone).await;
        shop.call(Method::GET, &token, "conversations", None).await.expect(404);
        shop.bare(Method::GET, &token, &format!("conversations/{id}"), None).await.expect(404);
        shop.act(&token, &id, "messages", text.clone()).await.expect(404);
        shop.bare(Method::POST, &token, "accounts", Some(number.clone())).await.expect(404);
    }
    inbox.user_is("second", "deactivated = false").await;
    shop.bare(Method::POST, &token, "accounts", Some(number)).await.expect(200);
}

#[tokio::test]
async fn r_jwt_3_a_service_passes_for_nobody_that_happens_to_have_its_name_or_number() {
    let inbox = with_secret().await;
    inbox.customer_writes(RUI, "Hello").await;
    inbox.settle().await;
    inbox.add_user("crm", Role::User).await;
    let ended = inbox.add_user("erp", Role::App).await;
    inbox.delete(&inbox.admin, &format!("users/{}/", ended.id)).await.expect(204);
    let token = |sub: &str| hs256(&json!({"sub": sub, "exp": now() + 600, "shops": [inbox.tenant]}));
    let listed = ask(&inbox, Some(&token("x")), &format!("conversations?shopId={}", inbox.tenant)).await.expect(200);
    let url = inbox.http.url(&format!(
        "whatsapp/conversations/{}/messages",
        listed["data"]["conversations"][0]["id"].as_str().unwrap()
    ));
    let (number, long) = (inbox.admin.id.to_string(), "x".repeat(200));
    let own = inbox.bot.username.clone();
    for (sub, name) in [
        ("crm", "crm (service)"),
        ("CRM", "crm (service)"),
        ("erp", "erp (service)"),
        (&number, &number),
        (&own, &own),
        (&long, &long[..150]),
    ] {
        // The second time it is there.
        for _ in 0..2 {
            let body = json!({"content": {"type": "text", "text": format!("I am {sub}")}});
            inbox.http.send(inbox.http.raw.post(&url).bearer_auth(token(sub)).json(&body)).await.expect(200);
            let sent = inbox.get(&inbox.admin, &format!("messages/?wa_id={RUI}")).await.expect(200);
            let sender = &sent["results"][0]["sender"];
            assert_eq!(sender["username"].as_str(), Some(name), "{sub}: {sender}");
            assert_ne!(sender["id"], json!(inbox.admin.id));
        }
    }
    // The ledger knows a holder of the name that the list of users does not show yet.
    inbox.add_user("pos", Role::App).await;
    inbox.user_is("pos", "username_key = 'elsewhere'").await;
    let body = json!({"content": {"type": "text", "text": "Hi"}});
    let answer = inbox.http.send(inbox.http.raw.post(&url).bearer_auth(token("pos")).json(&body)).await;
    assert_eq!(answer.expect(409)["details"]["code"], "CONFLICT");
    // What was recorded of accounts is the name's, too.
    let path = inbox.http.url(&format!("whatsapp/accounts/{}", inbox.tenant));
    inbox.http.send(inbox.http.raw.delete(path).bearer_auth(token(&number))).await.expect(200);
    let by_name = format!(
        "SELECT count(*) FROM ledger.events WHERE event_type = 'AccountDisconnected'
             AND metadata->'actor'->>'part' = '{number}'"
    );
    assert_eq!(inbox.count(&by_name).await, 1);
}

#[tokio::test]
async fn r_jwt_4_a_password_gives_a_token_of_the_users_role() {
    let inbox = Inbox::start().await;
    let log_in = |body: Value| inbox.http.call(Method::POST, "whatsapp/auth/token", None, Some(body));
    for (login, role) in [(&inbox.admin, "admin"), (&inbox.agent, "agent"), (&inbox.bot, "service")] {
        let body = json!({"username": login.username, "password": login.password, "shopId": inbox.tenant});
        let answer = log_in(body).await.expect(200);
        let token = answer["data"]["accessToken"].as_str().unwrap().to_owned();
        assert_eq!(
            answer,
            json!({"success": true, "data": {"accessToken": token, "tokenType": "Bearer", "expiresIn": 3_600},
                   "error": null, "pagination": null})
        );
        let claims = token.split('.').nth(1).unwrap();
        let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
        assert_eq!((&claims["role"], &claims["sub"]), (&json!(role), &json!(login.id.to_string())));
        assert_eq!(claims["shops"], json!([inbox.tenant]));
    }
    let (name, password) = (&inbox.agent.username, &inbox.agent.password);
    // The host tells the only shop there is.
    log_in(json!({"username": name, "password": password})).await.expect(200);
    for body in [
        json!({"username": name, "password": "wrong"}),
        json!({"username": "nobody", "password": password}),
        json!({"username": name, "password": password, "shopId": uuid::Uuid::new_v4()}),
        json!({"username": name, "password": password, "shopId": "x"}),
    ] {
        let answer = log_in(body.clone()).await.expect(401);
        assert_eq!(answer["details"], json!({"code": "INVALID_TOKEN"}), "{body}");
    }
    let answer = log_in(json!({"username": name})).await.expect(422);
    assert_eq!(answer["details"], json!({"field": "password", "code": "REQUIRED_FIELD"}));
}

#[tokio::test]
async fn r_svc_5_what_cannot_be_read_is_400_and_what_does_not_fit_is_422() {
    let shop = Shop::start().await;
    shop.inbox.customer_writes(RUI, "Hello").await;
    shop.inbox.settle().await;
    let id = shop.conversation(RUI).await;
    let url = shop.inbox.http.url(&format!("whatsapp/conversations/{id}/messages"));
    let post = |kind: &'static str, body: &'static str| {
        let request = shop.inbox.http.raw.post(&url).bearer_auth(&shop.admin).header("content-type", kind);
        shop.inbox.http.send(request.body(body))
    };
    for (kind, body, status, code) in [
        ("application/json", "{", 400, "INVALID_JSON"),
        ("application/json", "[]", 400, "INVALID_JSON"),
        ("application/json", r#"{"content": 5}"#, 400, "INVALID_TYPE"),
        ("application/json", "{}", 422, "REQUIRED_FIELD"),
        ("application/json", r#"{"content": {"type": "fax"}}"#, 422, "INVALID_VALUE"),
        ("text/csv", "a,b", 415, "UNSUPPORTED_MEDIA_TYPE"),
    ] {
        let answer = post(kind, body).await;
        assert_eq!((answer.status, &answer.body["details"]["code"]), (status, &json!(code)), "{body}");
        let keys: Vec<&String> = answer.body.as_object().unwrap().keys().collect();
        assert_eq!(keys.len(), 5, "R-SVC-2: {keys:?}");
    }
}

#[tokio::test]
async fn r_svc_1_and_3_times_are_utc_to_the_second_and_ids_are_opaque() {
    let shop = Shop::start().await;
    shop.inbox.customer_writes(RUI, "Hello").await;
    shop.inbox.settle().await;
    let row = shop.conversations("").await.remove(0);
    for name in ["createdAt", "lastMessageAt"] {
        let time = row[name].as_str().unwrap();
        assert_eq!((time.len(), &time[19..]), (20, "Z"), "{name}: {time}");
    }
    assert_eq!(row["shopId"], shop.inbox.tenant.to_string());
    assert!(row["id"].as_str().unwrap().parse::<uuid::Uuid>().is_ok());
}

#[tokio::test]
async fn r_svc_4_unknown_fields_are_ignored_and_a_final_slash_is_taken() {
    let shop = Shop::start().await;
    shop.inbox.customer_writes(RUI, "Hello").await;
    shop.inbox.settle().await;
    let id = shop.conversation(RUI).await;
    let body = json!({"content": {"type": "text", "text": "Hi", "emphasis": true}, "priority": 3});
    shop.bare(Method::POST, &shop.admin, &format!("conversations/{id}/messages/"), Some(body)).await.expect(200);
    let listed = shop.call(Method::GET, &shop.admin, "conversations/", None).await.expect(200);
    assert_eq!(
        listed.as_object().unwrap().keys().map(String::as_str).collect::<std::collections::BTreeSet<_>>(),
        ["data", "error", "pagination", "success"].into(),
        "R-SVC-2"
    );
    let missing = shop.bare(Method::PUT, &shop.admin, "conversations", None).await.expect(405);
    assert_eq!(missing["details"]["code"], "METHOD_NOT_ALLOWED");
}
