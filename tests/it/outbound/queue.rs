//! 202 and after: what WhatsApp cannot take now goes out once it can, once, and in order.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{RUI, delivered, message, open, send, text};
use crate::harness::{http::Answer, inbox::Inbox};

fn is_queued(answer: Answer) -> Value {
    let body = answer.expect(202);
    assert_eq!(body["reason"], "Message accepted and queued.");
    assert_eq!(body.as_object().unwrap().len(), 2, "{body}");
    body["id"].clone()
}

async fn until_sent(inbox: &Inbox, id: &Value) -> Value {
    let since = Instant::now();
    while since.elapsed() < Duration::from_secs(30) {
        let message = message(inbox, RUI, id).await;
        if message["waba_payload"]["id"].is_string() {
            return message;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{id} was not sent");
}

#[tokio::test]
async fn r_msg_g_while_whatsapp_is_away_202_comes_and_the_message_goes_out_once_later() {
    for fault in [json!({"status": 500}), json!({"status": 503, "retry_after": 2}), json!({"status": 429})] {
        let inbox = open().await;
        inbox.behave(json!({"http_status": fault})).await;
        let since = Instant::now();
        let id = is_queued(send(&inbox, text(RUI, "Later")).await);
        assert!(since.elapsed() < Duration::from_secs(5), "{fault}: the caller waited {:?}", since.elapsed());
        let message = until_sent(&inbox, &id).await;
        assert_eq!(message["is_failed"], false, "{fault}");
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(delivered(&inbox).await.len(), 1, "{fault}");
    }
}

#[tokio::test]
async fn r_msg_g_when_the_answer_does_not_come_in_ten_seconds_202_does() {
    let inbox = open().await;
    inbox.behave(json!({"statuses": [], "hang": {"count": 1, "ms": 30_000}})).await;
    let since = Instant::now();
    let id = is_queued(send(&inbox, text(RUI, "Hanging")).await);
    let waited = since.elapsed();
    assert!((Duration::from_secs(9)..Duration::from_secs(13)).contains(&waited), "{waited:?}");
    // WhatsApp has it: its status tells, and it is never sent again.
    let all = inbox.delivered().await;
    assert_eq!(all["count"], 1);
    let sent = &all["messages"][0];
    let status = json!({"id": sent["id"], "recipient_id": RUI, "status": "delivered", "timestamp": "1767693600",
        "biz_opaque_callback_data": sent["biz_opaque_callback_data"]});
    inbox.bring(json!({"statuses": [status]})).await;
    let message = until_sent(&inbox, &id).await;
    assert_eq!(message["waba_payload"]["id"], sent["id"]);
    assert_eq!(message["waba_statuses"]["delivered"], 1_767_693_600);
    // What comes next is not held back any more.
    send(&inbox, text(RUI, "Next")).await.expect(201);
    assert_eq!(inbox.delivered().await["count"], 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r_msg_g_twenty_sends_at_once_arrive_in_the_order_of_the_ledger() {
    let inbox = open().await;
    inbox.behave(json!({"http_status": {"status": 500, "count": 1}})).await;
    let sends = join_all((0..20).map(|i| send(&inbox, text(RUI, &format!("{i}"))))).await;
    assert!(sends.iter().all(|answer| matches!(answer.status, 201 | 202)), "{sends:?}");
    for sent in &sends {
        until_sent(&inbox, &sent.body["id"]).await;
    }
    let arrived: Vec<String> =
        delivered(&inbox).await.iter().map(|message| message["text"]["body"].as_str().unwrap().to_owned()).collect();
    let recorded: Vec<String> = sqlx::query_scalar(
        "SELECT payload->'message'->'text'->>'body' FROM ledger.events \
         WHERE event_type = 'MessageQueued' ORDER BY position",
    )
    .fetch_all(&inbox.pool)
    .await
    .unwrap();
    assert_eq!(arrived, recorded);
    assert_eq!(arrived.len(), 20);
}
