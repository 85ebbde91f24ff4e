//! WhatsApp says no: the caller is told, and the message stays, failed.

use serde_json::{Value, json};

use super::{RUI, delivered, message, open, send, text};
use crate::{
    harness::{http::Answer, inbox::Inbox},
    inbound::{cli, folder},
};

async fn failed(inbox: &Inbox) -> Value {
    inbox.settle().await;
    let page = inbox.get(&inbox.admin, &format!("messages/{RUI}/?from_us=true")).await.expect(200);
    assert_eq!(page["count"], 1);
    page["results"][0].clone()
}

#[tokio::test]
async fn r_6_4_a_refusal_is_400_with_reason_and_errors_and_the_message_stays_failed() {
    for (code, status) in [(131_026, 400), (190, 400), (132_001, 400), (131_051, 400)] {
        let inbox = open().await;
        inbox.behave(json!({"fail_next": {"code": code}})).await;
        let Answer { status: told, body, text, .. } = send(&inbox, text(RUI, "Hi")).await;
        assert_eq!(told, status, "{text}");
        assert!(body["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{text}");
        let error = &body["waba_response"]["errors"][0];
        assert_eq!(error["code"], code);
        assert!(error["title"].is_string() && error["details"].is_string(), "{text}");
        let message = failed(&inbox).await;
        assert_eq!(message["is_failed"], true);
        assert_eq!(message["waba_payload"]["errors"][0]["code"], code);
        assert!(delivered(&inbox).await.is_empty());
    }
}

#[tokio::test]
async fn r_6_4_after_a_refusal_the_next_message_goes_out() {
    let inbox = open().await;
    inbox.behave(json!({"fail_next": {"code": 131_026}})).await;
    send(&inbox, text(RUI, "No")).await.expect(400);
    let sent = send(&inbox, text(RUI, "Yes")).await.expect(201);
    assert_eq!(message(&inbox, RUI, &sent["id"]).await["is_failed"], false);
    assert_eq!(delivered(&inbox).await.len(), 1);
}

#[tokio::test]
async fn r_3_without_a_whatsapp_account_nothing_is_sent_and_the_reason_is_told() {
    let data = folder();
    let path = data.path().to_string_lossy().into_owned();
    let inbox = Inbox::start_with(|config| config.data_dir = path).await;
    let (fine, told) = cli(&inbox, data.path(), &["tenant", "create", "--slug", "new", "--name", "New"]).await;
    assert!(fine, "{told}");
    let add = ["tenant", "add-user", "--tenant", "new", "--username", "boss", "--role", "admin"];
    let (fine, told) = cli(&inbox, data.path(), &add).await;
    assert!(fine, "{told}");
    let token = told.lines().find_map(|line| line.strip_prefix("token:")).expect("a token").trim().to_owned();
    let body = json!({"wa_id": RUI, "type": "template", "template": {"name": "ola", "language": {"code": "pt_PT"}}});
    let answer = inbox.http.call(reqwest::Method::POST, "messages/", Some(&token), Some(body.clone())).await;
    let refused = answer.expect(400);
    assert_eq!(super::queued(&inbox).await, 0);
    assert!(refused["reason"].as_str().is_some_and(|reason| reason.contains("WhatsApp")), "{refused}");
    assert!(delivered(&inbox).await.is_empty());
    // Connected beside the running server, it is known at once.
    let url = format!("{}/simulator/numbers", inbox.simulator_url);
    let number = json!({"phone_number_id": "888", "access_token": "simulated-access-token"});
    assert!(inbox.http.raw.post(url).json(&number).send().await.unwrap().status().is_success());
    let connect = ["tenant", "connect", "--tenant", "new", "--phone-number-id", "888", "--phone-number", "+1"];
    let (fine, told) = cli(&inbox, data.path(), &connect).await;
    assert!(fine, "{told}");
    let answer = inbox.http.call(reqwest::Method::POST, "messages/", Some(&token), Some(body)).await;
    answer.expect(201);
    assert_eq!(delivered(&inbox).await.len(), 1);
}
