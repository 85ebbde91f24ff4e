//! Asks the Service API with tokens of every kind, and makes shops and numbers.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chatledger_api::bootstrap::Config;
use hmac::{Hmac, Mac};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;
use uuid::Uuid;

use crate::harness::{
    http::Answer,
    inbox::{Inbox, now},
};

/// What tokens of the tests are signed with.
const SECRET: &str = "a secret of tests that has at least thirty-two bytes";

/// An inbox that takes tokens of the tests.
pub async fn inbox() -> Inbox {
    inbox_with(|_| {}).await
}

pub async fn inbox_with(change: impl FnOnce(&mut Config)) -> Inbox {
    Inbox::start_with(|config| {
        config.service_api.jwt_secret = Some(SECRET.to_owned());
        change(config);
    })
    .await
}

/// Another server on the same database that takes them too.
pub async fn beside_with(inbox: &Inbox, change: impl FnOnce(&mut Config)) -> Inbox {
    let change = |config: &mut Config| {
        config.service_api.jwt_secret = Some(SECRET.to_owned());
        change(config);
    };
    inbox.beside_with(change).await
}

/// A token for these shops.
pub fn token(sub: &str, role: &str, shops: &[&str]) -> String {
    let part = |value: Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({"sub": sub, "exp": now() + 600, "shops": shops, "role": role});
    let signed = format!("{}.{}", part(json!({"alg": "HS256", "typ": "JWT"})), part(claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any length is a key");
    mac.update(signed.as_bytes());
    format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

/// Asks as somebody; the path is below `/api/v1/whatsapp/`.
pub async fn ask(inbox: &Inbox, token: &str, method: Method, path: &str, body: Option<Value>) -> Answer {
    let request = inbox.http.raw.request(method, inbox.http.url(&format!("whatsapp/{path}"))).bearer_auth(token);
    let request = match &body {
        Some(body) => request.json(body),
        None => request,
    };
    inbox.http.send(request).await
}

/// Asks as a service that may see every shop.
pub async fn service(inbox: &Inbox, method: Method, path: &str, body: Option<Value>) -> Answer {
    ask(inbox, &token("shop-system", "service", &["*"]), method, path, body).await
}

/// The account of a shop.
pub async fn account(inbox: &Inbox, shop: Uuid) -> Value {
    service(inbox, Method::GET, &format!("accounts/{shop}"), None).await.expect(200)["data"].clone()
}

/// A number at the simulated WhatsApp.
pub async fn add_number(inbox: &Inbox, phone_number_id: &str, access_token: &str) {
    let number = json!({"phone_number_id": phone_number_id, "display_phone_number": format!("35121{phone_number_id}"),
                        "waba_id": format!("8{phone_number_id}"), "access_token": access_token});
    let url = format!("{}/simulator/numbers", inbox.simulator_url);
    let answer = inbox.http.raw.post(url).json(&number).send().await.expect("the simulator answers");
    assert!(answer.status().is_success());
}

/// A shop without a number.
pub async fn add_shop(inbox: &Inbox, slug: &str) -> Uuid {
    let tools = inbox.tools().await;
    let new = chatledger_application::tenants::NewTenant {
        slug: slug.to_owned(),
        name: slug.to_owned(),
        hosts: vec![format!("{slug}.example")],
    };
    let shop = tools.application.create_tenant(new).await.expect("a tenant").id.0;
    tools.close().await;
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    shop
}
