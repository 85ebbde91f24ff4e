//! Contract §K: the photo of the business profile.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{FORBIDDEN, NOT_FOUND, credential};
use crate::harness::{
    http::Answer,
    inbox::{Inbox, now},
};

const PATH: &str = "settings/profile/photo/";
const PNG: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, 0x49, 0x48, 0x44, 0x52, 0, 0, 0, 1, 0, 0, 0, 1, 8,
    6, 0, 0, 0, 0x1f, 0x15, 0xc4, 0x89,
];
const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xd9";

fn encoded(bytes: &[u8]) -> Value {
    json!({ "file_encoded": STANDARD.encode(bytes) })
}

async fn part(inbox: &Inbox, bytes: Vec<u8>) -> Answer {
    let part = reqwest::multipart::Part::bytes(bytes).file_name("me.png");
    let form = reqwest::multipart::Form::new().part("file_encoded", part);
    let request = inbox.http.raw.post(inbox.http.url(PATH)).header("Authorization", credential(&inbox.admin));
    inbox.http.send(request.multipart(form)).await
}

/// The photo as it is served: its type, its bytes.
async fn shown(inbox: &Inbox) -> Option<(String, Vec<u8>)> {
    let request = inbox.http.raw.get(inbox.http.url(PATH)).header("Authorization", credential(&inbox.bot));
    let answer = request.send().await.expect("an answer");
    if answer.status() == 404 {
        assert_eq!(answer.text().await.expect("a body"), NOT_FOUND);
        return None;
    }
    assert_eq!(answer.status(), 200);
    let kind = answer.headers()["content-type"].to_str().expect("text").to_owned();
    assert!(answer.headers().contains_key("etag"));
    assert_eq!(answer.headers()["content-security-policy"], "sandbox; default-src 'none'");
    Some((kind, answer.bytes().await.expect("a body").to_vec()))
}

/// Events of the photo.
async fn recorded(inbox: &Inbox) -> i64 {
    inbox.count("SELECT count(*) FROM ledger.events WHERE event_type LIKE 'ProfilePhoto%'").await
}

#[tokio::test]
async fn the_photo_is_set_shown_and_taken_away() {
    let inbox = Inbox::start().await;
    assert_eq!(shown(&inbox).await, None);
    let answer = part(&inbox, PNG.to_vec()).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "{}"));
    assert_eq!(shown(&inbox).await, Some(("image/png".to_owned(), PNG.to_vec())));
    let answer = inbox.post(&inbox.admin, PATH, encoded(JPEG)).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "{}"));
    assert_eq!(shown(&inbox).await, Some(("image/jpeg".to_owned(), JPEG.to_vec())));
    // WhatsApp has the same: a look brings nothing new.
    assert_eq!(inbox.post(&inbox.agent, "settings/refresh/issue/", json!({})).await.status, 202);
    while inbox.page(&inbox.agent, "settings/refresh/status/").await["currently_refreshing"] == true {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(recorded(&inbox).await, 2);
    let answer = inbox.delete(&inbox.admin, PATH).await;
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    assert_eq!(shown(&inbox).await, None);
    let answer = inbox.delete(&inbox.admin, PATH).await;
    assert_eq!((answer.status, answer.text.as_str()), (404, NOT_FOUND));
    assert_eq!(recorded(&inbox).await, 3);
}

#[tokio::test]
async fn a_photo_that_is_at_whatsapp_already_is_shown() {
    let inbox = Inbox::start().await;
    let url = format!("{}/simulator/photos/{}", inbox.simulator_url, inbox.phone_number_id);
    inbox.http.raw.post(url).body(JPEG).send().await.expect("an answer");
    assert_eq!(shown(&inbox).await, Some(("image/jpeg".to_owned(), JPEG.to_vec())));
    assert_eq!(recorded(&inbox).await, 1);
    assert_eq!(inbox.delete(&inbox.admin, PATH).await.status, 204);
    assert_eq!(shown(&inbox).await, None);
}

#[tokio::test]
async fn only_images_of_at_most_5_mib_are_taken() {
    let inbox = Inbox::start().await;
    let unfit = "Upload a valid image. The file you uploaded was either not an image or a corrupted image.";
    for bytes in
        [&b"%PDF-1.4"[..], b"plain text", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"RIFF\0\0\0\0WEBPVP8 "]
    {
        let body = inbox.post(&inbox.admin, PATH, encoded(bytes)).await.expect(400);
        assert_eq!(body["file_encoded"], json!([unfit]));
    }
    let body = inbox.post(&inbox.admin, PATH, json!({})).await.expect(400);
    assert_eq!(body["file_encoded"], json!(["This field is required."]));
    let mut large = PNG.to_vec();
    large.resize((5 << 20) + 1, 7);
    for answer in [part(&inbox, large.clone()).await, inbox.post(&inbox.admin, PATH, encoded(&large)).await] {
        assert_eq!(answer.status, 413);
        assert_eq!(answer.body["reason"], "The file is too large.");
    }
    large.truncate(5 << 20);
    part(&inbox, large).await.expect(200);
    assert_eq!(recorded(&inbox).await, 1);
}

#[tokio::test]
async fn r_set_1_only_admins_change_the_photo() {
    let inbox = Inbox::start().await;
    for by in [&inbox.agent, &inbox.bot] {
        for answer in [inbox.post(by, PATH, encoded(PNG)).await, inbox.delete(by, PATH).await] {
            assert_eq!((answer.status, answer.text.as_str()), (403, FORBIDDEN));
        }
    }
    assert_eq!(recorded(&inbox).await, 0);
}

#[tokio::test]
async fn without_whatsapp_the_photo_stays_and_nothing_is_recorded() {
    let inbox = Inbox::start().await;
    let away = json!({"reason": "WhatsApp cannot be reached at the moment."});
    inbox.behave(json!({"account": {"status": 503}})).await;
    assert_eq!(inbox.get(&inbox.agent, PATH).await.expect(503), away);
    inbox.behave(json!({"account": {}})).await;
    part(&inbox, PNG.to_vec()).await.expect(200);
    inbox.behave(json!({"account": {"status": 503}})).await;
    assert_eq!(inbox.post(&inbox.admin, PATH, encoded(JPEG)).await.expect(503), away);
    assert_eq!(inbox.delete(&inbox.admin, PATH).await.expect(503), away);
    assert_eq!(shown(&inbox).await, Some(("image/png".to_owned(), PNG.to_vec())));
    assert_eq!(recorded(&inbox).await, 1);
    // Nothing is left of the picture that was not taken.
    let kept = inbox.count("SELECT count(*) FROM ledger.events WHERE event_type = 'MediaStored'").await;
    assert_eq!(kept, 0);
}

#[tokio::test]
async fn r_gen_1_each_tenant_has_its_own_photo() {
    let inbox = Inbox::start().await;
    part(&inbox, PNG.to_vec()).await.expect(200);
    let other = format!("other{}", now());
    inbox.add_tenant(&other, "other.example", "100000000000777").await;
    let eva = inbox.add_user_to(&other, "eva", chatledger_domain::Role::Admin).await;
    let answer = inbox.get(&eva, PATH).await;
    assert!([400, 404, 502, 503].contains(&answer.status), "{}", answer.text);
    assert!(!answer.text.contains("PNG"));
}
