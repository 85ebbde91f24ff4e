//! R-MSG-6: one id of the client's, one message.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{RUI, delivered, message, open, queued, send, send_as, template, text};

fn with_id(mut body: Value, id: &str) -> Value {
    body["pending_message_unique_id"] = json!(id);
    body
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r_msg_6_the_same_pending_id_at_once_and_again_sends_once_and_repeats_the_first_body() {
    let inbox = open().await;
    let body = with_id(text(RUI, "Once"), "tab-1");
    let answers = join_all((0..10).map(|_| send(&inbox, body.clone()))).await;
    let first = answers[0].text.clone();
    for answer in &answers {
        assert_eq!((answer.status, &answer.text), (201, &first));
    }
    let later = send(&inbox, body).await;
    assert_eq!((later.status, &later.text), (201, &first));
    // What else the repeat says does not matter.
    let other = send(&inbox, with_id(text(RUI, "Something else"), "tab-1")).await;
    assert_eq!((other.status, &other.text), (201, &first));
    assert_eq!(delivered(&inbox).await.len(), 1);
    assert_eq!(queued(&inbox).await, 1);
}

#[tokio::test]
async fn r_msg_6_another_id_user_or_chat_is_another_message() {
    let inbox = open().await;
    let other = "351912000334";
    inbox.customer_writes(other, "Hi").await;
    inbox
        .put(&inbox.admin, &format!("chat_assignment/{RUI}/"), json!({"assigned_to_user": inbox.agent.id.0}))
        .await
        .expect(200);
    send(&inbox, with_id(text(RUI, "1"), "a")).await.expect(201);
    send(&inbox, with_id(text(RUI, "2"), "b")).await.expect(201);
    send(&inbox, with_id(text(other, "3"), "a")).await.expect(201);
    send_as(&inbox, &inbox.agent, with_id(text(RUI, "4"), "a")).await.expect(201);
    assert_eq!(delivered(&inbox).await.len(), 4);
    let body = send(&inbox, with_id(text(RUI, "5"), &"x".repeat(65))).await.expect(400);
    assert!(body["pending_message_unique_id"].is_array(), "{body}");
    send(&inbox, with_id(text(RUI, "6"), &"x".repeat(64))).await.expect(201);
}

#[tokio::test]
async fn r_msg_6_a_refusal_is_repeated_too() {
    let inbox = open().await;
    inbox.behave(json!({"fail_next": {"code": 131_026}})).await;
    let first = send(&inbox, with_id(text(RUI, "No"), "a")).await;
    let again = send(&inbox, with_id(text(RUI, "No"), "a")).await;
    assert_eq!((first.status, again.status), (400, 400));
    assert_eq!(first.text, again.text);
    assert!(delivered(&inbox).await.is_empty());
}

#[tokio::test]
async fn r_msg_6_what_broke_a_rule_was_not_sent_and_can_be_tried_again() {
    let inbox = open().await;
    let new = "351912000335";
    send(&inbox, with_id(text(new, "Hi"), "a")).await.expect(453);
    let sent = send(&inbox, with_id(template(new), "a")).await.expect(201);
    assert_eq!(message(&inbox, new, &sent["id"]).await["waba_payload"]["type"], "template");
}
