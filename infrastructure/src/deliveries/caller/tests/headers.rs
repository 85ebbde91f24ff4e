//! R-OUT-1 and R-OUT-2: what a call carries.

use chatledger_application::endpoints::SigningKey;

use super::{super::*, world::*};

fn header<'a>(request: &'a str, name: &str) -> Vec<&'a str> {
    let head = request.split("\r\n\r\n").next().unwrap_or_default();
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
}

fn key(bytes: &[u8], until: Option<i64>) -> SigningKey {
    use base64::{Engine, engine::general_purpose::STANDARD};
    SigningKey { secret: format!("whsec_{}", STANDARD.encode(bytes)), until }
}

#[tokio::test]
async fn r_out_2_a_call_carries_who_calls_which_delivery_it_is_and_signatures() {
    let listener = Listener::start("127.0.0.1").await;
    let caller = caller(allow(&["127.0.0.0/8"]), &Names::default());
    let id = Uuid::from_u128(7);
    let mut target = target(format!("http://127.0.0.1:{}/hook?auth=s3cr%20t&x=1+2", listener.port));
    // Ours are not to be had, whatever an old row says.
    for (name, value) in [
        ("X-Key", "v"),
        ("Webhook-Id", "mine"),
        ("Host", "other.example"),
        ("Content-Length", "0"),
        ("user-agent", "x"),
    ] {
        target.headers.insert(name.to_owned(), value.to_owned());
    }
    target.signing =
        vec![key(&[1; 32], None), key(&[2; 32], Some(NOW + 1)), key(&[3; 32], Some(NOW)), key(&[4; 32], Some(1))];
    target.app_secret = Some("shared".to_owned());
    let body = r#"{"messages":[{"text":{"body":"é\u0000"}}]}"#;
    let outcome = caller.call(&target, id, 3, body.into()).await;
    assert!(outcome.is_success() && outcome.is_whole && outcome.error.is_none(), "{outcome:?}");
    assert_eq!(outcome.answer, "ok");
    let request = listener.requests().remove(0);
    assert!(request.starts_with("POST /hook?auth=s3cr%20t&x=1+2 HTTP/1.1\r\n"), "{request}");
    assert!(request.ends_with(&format!("\r\n\r\n{body}")), "{request}");
    let host = format!("127.0.0.1:{}", listener.port);
    for (name, value) in [
        ("content-type", "application/json"),
        ("host", &*host),
        ("user-agent", concat!("chatledger/", env!("CARGO_PKG_VERSION"))),
        ("webhook-id", &*id.to_string()),
        ("x-chatledger-delivery", &*id.to_string()),
        ("webhook-timestamp", &*NOW.to_string()),
        ("x-chatledger-attempt", "3"),
        ("x-key", "v"),
        ("content-length", &*body.len().to_string()),
        ("x-hub-signature-256", &*crate::whatsapp::signature::sign("shared", body.as_bytes())),
    ] {
        assert_eq!(header(&request, name), [value], "{name}");
    }
    let signatures: Vec<&str> = header(&request, "webhook-signature")[0].split(' ').collect();
    assert_eq!(signatures.len(), 2, "the two that are valid: {signatures:?}");
    assert!(signatures.iter().all(|signature| signature.starts_with("v1,")) && signatures[0] != signatures[1]);
    assert!(header(&request, "accept-encoding").is_empty());
}

#[tokio::test]
async fn without_secrets_nothing_is_signed() {
    let listener = Listener::start("127.0.0.1").await;
    let caller = caller(allow(&["127.0.0.0/8"]), &Names::default());
    assert!(caller.hit(format!("http://127.0.0.1:{}/", listener.port)).await.is_success());
    let request = listener.requests().remove(0);
    assert!(header(&request, "webhook-signature").is_empty() && header(&request, "x-hub-signature-256").is_empty());
}

/// With the secret, time and body of the specification's example; ids of ours are UUIDs.
#[test]
fn s6_the_signature_is_that_of_standard_webhooks() {
    // Computed apart, with another language's HMAC.
    let mut target = target("https://crm.acme.example/");
    target.signing = vec![SigningKey { secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned(), until: None }];
    let id = Uuid::from_u128(0x0190_f3a2);
    let headers = headers::of(&target, id, 1, 1_614_265_330, r#"{"test": 2432232314}"#);
    assert_eq!(headers["webhook-signature"], "v1,7lAePFWWXtLVEPOllumtGQQ2cVFuk48Tkyia3OQcia4=");
}
