//! Meta's handshake: the challenge comes back as plain text for the right token, and for no other.

use chatledger_domain::TenantId;
use reqwest::Method;

use super::quarantine::{cli, folder};
use crate::harness::inbox::Inbox;

async fn verify(inbox: &Inbox, query: &str) -> (u16, String, String) {
    let answer = inbox.http.call(Method::GET, &format!("whatsapp/webhooks?{query}"), None, None).await;
    let kind = answer.headers.get("content-type").expect("a content type").to_str().expect("text").to_owned();
    (answer.status, kind, answer.text)
}

#[tokio::test]
async fn r_6_1_the_right_token_gets_the_challenge_as_plain_text() {
    let inbox = Inbox::start().await;
    let query = format!("hub.mode=subscribe&hub.verify_token={}&hub.challenge=1158201444", inbox.verify_token);
    let (status, kind, text) = verify(&inbox, &query).await;
    assert_eq!((status, text.as_str()), (200, "1158201444"));
    assert!(kind.starts_with("text/plain"), "{kind}");
}

#[tokio::test]
async fn r_6_1_another_token_mode_or_none_is_403_in_plain_text() {
    let inbox = Inbox::start().await;
    let token = &inbox.verify_token;
    for query in [
        "hub.mode=subscribe&hub.verify_token=wrong&hub.challenge=1".to_owned(),
        "hub.mode=subscribe&hub.verify_token=&hub.challenge=1".to_owned(),
        "hub.mode=subscribe&hub.challenge=1".to_owned(),
        format!("hub.mode=unsubscribe&hub.verify_token={token}&hub.challenge=1"),
        format!("hub.verify_token={token}&hub.challenge=1"),
        String::new(),
    ] {
        let (status, kind, text) = verify(&inbox, &query).await;
        assert_eq!(status, 403, "{query}");
        assert!(kind.starts_with("text/plain") && text != "1", "{kind} {text} for {query}");
    }
}

#[tokio::test]
async fn r_6_1_the_token_of_any_tenant_is_right() {
    let data = folder();
    let path = data.path().to_string_lossy().into_owned();
    let inbox = Inbox::start_with(|config| config.data_dir = path).await;
    let (created, told) = cli(&inbox, data.path(), &["tenant", "create", "--slug", "second", "--name", "Second"]).await;
    assert!(created, "{told}");
    let token = told.lines().find_map(|line| line.strip_prefix("verify token:")).expect("a token").trim().to_owned();
    assert_ne!(token, inbox.verify_token);
    assert_ne!(TenantId::of_slug("second").0, inbox.tenant);
    let (status, _, text) =
        verify(&inbox, &format!("hub.mode=subscribe&hub.verify_token={token}&hub.challenge=42")).await;
    assert_eq!((status, text.as_str()), (200, "42"));
}
