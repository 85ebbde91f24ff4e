//! Serving: who may read a file, how, and what is said about it.

use sha2::{Digest, Sha256};

use super::*;

#[tokio::test]
async fn a_file_is_served_with_length_etag_and_parts_in_both_spellings() {
    let inbox = Inbox::start().await;
    let id = inbox.kept(PNG, "a b\u{e9}.png", "image/png").await;
    let token = credential(&inbox.bot);
    let by = ("Authorization", &*token);
    let etag = format!("\"{}\"", hex::encode(Sha256::digest(PNG)));
    for path in [format!("media/{id}/"), format!("media/{id}")] {
        let file = inbox.file(Method::GET, &path, &[by]).await;
        assert_eq!((file.status, &*file.bytes), (200, PNG));
        assert_eq!(file.header("content-type"), "image/png");
        assert_eq!(file.header("content-length"), PNG.len().to_string());
        assert_eq!(file.header("etag"), etag);
        assert_eq!(file.header("content-disposition"), "inline; filename*=UTF-8''a%20b%C3%A9.png");
        let head = inbox.file(Method::HEAD, &path, &[by]).await;
        assert_eq!((head.status, head.bytes.len()), (200, 0));
        for name in ["content-type", "content-length", "etag", "content-disposition"] {
            assert_eq!(head.header(name), file.header(name), "{name}");
        }
    }
    let path = format!("media/{id}/");
    for known in [&*etag, "*", &format!("\"x\", W/{etag}")] {
        let file = inbox.file(Method::GET, &path, &[by, ("If-None-Match", known)]).await;
        assert_eq!((file.status, file.bytes.len(), file.header("etag")), (304, 0, &*etag), "{known}");
    }
    assert_eq!(inbox.file(Method::GET, &path, &[by, ("If-None-Match", "\"x\"")]).await.status, 200);
    let part = inbox.file(Method::GET, &path, &[by, ("Range", "bytes=1-3")]).await;
    assert_eq!((part.status, &*part.bytes), (206, &PNG[1..4]));
    assert_eq!(part.header("content-range"), format!("bytes 1-3/{}", PNG.len()));
    let stale = inbox.file(Method::GET, &path, &[by, ("Range", "bytes=1-3"), ("If-Range", "\"x\"")]).await;
    assert_eq!((stale.status, &*stale.bytes), (200, PNG));
    let beyond = inbox.file(Method::GET, &path, &[by, ("Range", "bytes=9999-")]).await;
    assert_eq!((beyond.status, beyond.header("content-range")), (416, &*format!("bytes */{}", PNG.len())));
}

#[tokio::test]
async fn a_foreign_file_answers_as_an_unknown_one() {
    let inbox = Inbox::start().await;
    inbox.add_tenant("acme", "acme.example", "5550001").await;
    let other = inbox.add_user_to("acme", "zoe", chatledger_domain::Role::Admin).await;
    let id = inbox.kept(PNG, "a.png", "image/png").await;
    assert_eq!(inbox.read_file(&inbox.bot, &id).await.status, 200);
    let unknown = inbox.read_file(&other, "0190f3a2-6000-7c00-8000-000000000001").await;
    assert_eq!((unknown.status, &*unknown.bytes), (404, NOT_FOUND.as_bytes()));
    assert_eq!(unknown.header("retry-after"), "");
    let long = "9".repeat(5_000);
    for id in [&*id, "nothing", "%00", "..%2f..%2fetc%2fpasswd", "7", "\u{2024}\u{2024}", &long] {
        let file = inbox.read_file(&other, id).await;
        assert_eq!((file.status, file.bytes), (404, unknown.bytes.clone()), "{id}");
    }
    let nobody = inbox.file(Method::GET, &format!("media/{id}/"), &[]).await;
    assert_eq!((nobody.status, &*nobody.bytes), (403, NOT_PROVIDED.as_bytes()));
}

#[tokio::test]
async fn r_msg_15_a_link_in_a_message_needs_no_header_and_opens_nothing_else() {
    let inbox = Inbox::start().await;
    inbox.customer_writes(RUI, "Hello").await;
    let (id, other) = (inbox.kept(PNG, "a.png", "image/png").await, inbox.kept("other", "a.txt", "text/plain").await);
    let bare = format!("{}/api/v1/media/{id}/", inbox.http.base_url);
    inbox.give(RUI, &inbox.agent).await;
    let body = json!({"wa_id": RUI, "type": "image", "image": {"link": bare, "caption": "receipt"}});
    inbox.post(&inbox.agent, "messages/", body).await.expect(201);
    inbox.settle().await;
    let page = inbox.page(&inbox.agent, &format!("messages/?wa_id={RUI}")).await;
    let link = page["results"][0]["waba_payload"]["image"]["link"].as_str().expect("a link").to_owned();
    assert!(link.starts_with(&format!("{bare}?exp=")), "{link}");
    let file = inbox.file(Method::GET, &link, &[]).await;
    assert_eq!((file.status, &*file.bytes, file.header("content-type")), (200, PNG, "image/png"));
    assert_eq!(inbox.file(Method::HEAD, &link, &[]).await.status, 200);
    let query = link.split_once('?').unwrap().1;
    let expiry: i64 = query.split(['=', '&']).nth(1).unwrap().parse().unwrap();
    assert!(expiry - crate::harness::inbox::now() >= 86_400, "{expiry}");
    let (longer, cut) = (link.replace(&expiry.to_string(), &(expiry + 1).to_string()), &link[..link.len() - 3]);
    let garbled = format!("{bare}?exp=soon&sig=%00");
    for wrong in [bare.replace(&id, &other) + "?" + query, longer, cut.to_owned(), garbled, bare] {
        let file = inbox.file(Method::GET, &wrong, &[]).await;
        assert_eq!((file.status, &*file.bytes), (403, NOT_PROVIDED.as_bytes()), "{wrong}");
    }
    // Another inbox's host does not serve it, with or without the signature.
    inbox.add_tenant("acme", "acme.example", "5550001").await;
    let file = inbox.file(Method::GET, &link, &[("Host", "acme.example")]).await;
    assert_eq!(file.status, 403);
}
