//! R-IN-5, R-MSG-5: the hundredth delivery changes nothing and answers 200.

use futures_util::future::join_all;
use serde_json::json;

use super::{ANA, at_channel, events, messages_of, person, simulate};
use crate::harness::inbox::{Inbox, contact, now, text_message};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r_in_5_a_hundred_deliveries_at_once_and_one_later_are_one() {
    let inbox = Inbox::start().await;
    let statuses = json!([
        {"id": "wamid.out", "recipient_id": ANA, "status": "sent", "timestamp": "1767693600"},
        {"id": "wamid.out", "recipient_id": ANA, "status": "failed", "timestamp": "1767693601",
         "errors": [{"code": 131_026, "title": "Undeliverable"}]}
    ]);
    let messages = json!([text_message(ANA, "wamid.a", now(), "Hi"), text_message(ANA, "wamid.b", now(), "Ho")]);
    let value = json!({"contacts": [contact(ANA, "Ana")], "messages": messages, "statuses": statuses});
    let call = inbox.call(value).to_string();
    let answers = join_all((0..100).map(|_| inbox.deliver(&call))).await;
    assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
    inbox.settle().await;
    let (before, listed) = (events(&inbox).await, messages_of(&inbox, ANA).await);
    assert_eq!(listed.len(), 2);
    let of_kind = |kind: &str| format!("SELECT count(*) FROM ledger.events WHERE event_type = '{kind}'");
    assert_eq!(inbox.count(&of_kind("MessageReceived")).await, 2);
    assert_eq!(inbox.count(&of_kind("MessageStatusReported")).await, 2);
    assert_eq!(inbox.count(&of_kind("ContactProfileSeen")).await, 1);
    assert_eq!(inbox.deliver(&call).await.status, 200);
    assert_eq!(events(&inbox).await, before);
}

#[tokio::test]
async fn r_in_5_a_repeat_through_the_other_door_is_still_the_same_message() {
    let inbox = Inbox::start().await;
    let message = text_message(ANA, "wamid.same", now(), "Hi");
    inbox.bring(json!({"messages": [message.clone()]})).await;
    let before = events(&inbox).await;
    let answer = at_channel(&inbox, &inbox.channel_secret, &json!({"messages": [message]}).to_string()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(events(&inbox).await, before);
}

#[tokio::test]
async fn r_in_5_a_late_repeat_brings_no_old_name_back() {
    let inbox = Inbox::start().await;
    let call = |id: &str, name: &str| {
        let message = text_message(ANA, id, now(), "Hi");
        json!({"contacts": [contact(ANA, name)], "messages": [message]})
    };
    let old = call("wamid.1", "Old Name");
    inbox.bring(old.clone()).await;
    inbox.bring(call("wamid.2", "New Name")).await;
    inbox.bring(old).await;
    inbox.settle().await;
    assert_eq!(person(&inbox, ANA).await["waba_payload"]["profile"]["name"], "New Name");
}

#[tokio::test]
async fn r_in_5_notices_and_echoes_repeat_without_effect() {
    let inbox = Inbox::start().await;
    inbox.behave(json!({"duplicates": 5})).await;
    simulate(&inbox, json!({"type": "echo", "from": ANA, "text": "From the phone", "id": "wamid.echo"})).await;
    simulate(&inbox, json!({"type": "template_status", "template": "ola", "language": "pt_PT", "event": "PAUSED"}))
        .await;
    simulate(&inbox, json!({"type": "account_update"})).await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    inbox.settle().await;
    let kinds = ["MessageEchoed", "TemplateStatusReported", "AccountNoticeReceived"];
    for kind in kinds {
        let sql = format!("SELECT count(*) FROM ledger.events WHERE event_type = '{kind}'");
        assert_eq!(inbox.count(&sql).await, 1, "{kind}");
    }
}
