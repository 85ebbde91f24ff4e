//! What a call carries besides its body: who calls, which delivery it is, and signatures (R-OUT-2).

use base64::{Engine, engine::general_purpose::STANDARD};
use chatledger_application::endpoints::{CallTarget, is_reserved};
use hmac::{Hmac, Mac};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use sha2::Sha256;
use uuid::Uuid;

use crate::whatsapp::signature;

/// Who calls.
const AGENT: &str = concat!("chatledger/", env!("CARGO_PKG_VERSION"));

/// The headers of an attempt at a time, POSIX seconds. The receiver's own come first and never take the place of ours.
pub(super) fn of(target: &CallTarget, id: Uuid, attempt: u32, now: i64, body: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in target.headers.iter().filter(|(name, _)| !is_reserved(name)) {
        // They were looked at when they were set; one that cannot be sent all the same is left out.
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(mut value)) = (name, HeaderValue::from_str(value)) {
            value.set_sensitive(true);
            headers.insert(name, value);
        }
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    let mut set = |name: &'static str, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    set("webhook-id", id.to_string());
    set("webhook-timestamp", now.to_string());
    set("x-chatledger-delivery", id.to_string());
    set("x-chatledger-attempt", attempt.to_string());
    let signatures = signatures(target, id, now, body);
    if !signatures.is_empty() {
        set("webhook-signature", signatures.join(" "));
    }
    if let Some(secret) = &target.app_secret {
        set("x-hub-signature-256", signature::sign(secret, body.as_bytes()));
    }
    headers
}

/// A signature with every secret that is valid now, so that a receiver may know the old one or the new one.
fn signatures(target: &CallTarget, id: Uuid, now: i64, body: &str) -> Vec<String> {
    let valid = target.signing.iter().filter(|key| key.is_valid_at(now));
    valid
        .filter_map(|key| {
            let secret = STANDARD.decode(key.secret.strip_prefix("whsec_")?).ok()?;
            let mut mac = Hmac::<Sha256>::new_from_slice(&secret).ok()?;
            mac.update(format!("{id}.{now}.").as_bytes());
            mac.update(body.as_bytes());
            Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
        })
        .collect()
}
