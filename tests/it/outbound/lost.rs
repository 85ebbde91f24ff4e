//! R26: the answer gets lost. WhatsApp has the message, and only its status tells.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::json;

use super::{RUI, delivered, message, open, send, text};
use crate::reliability::rounds;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r_msg_6_lost_answers_are_settled_by_statuses_and_nobody_gets_a_message_twice() {
    let (inbox, count) = (open().await, rounds(20, 100));
    inbox.behave(json!({"cut_connection": {"count": count, "when": "after"}})).await;
    let sends = join_all((0..count).map(|i| send(&inbox, text(RUI, &format!("{i}"))))).await;
    let mut ids = BTreeSet::new();
    for sent in sends {
        assert!(matches!(sent.status, 201 | 202), "{}", sent.text);
        let shown = message(&inbox, RUI, &sent.body["id"]).await;
        if sent.status == 201 {
            assert_eq!(sent.body["waba_response"]["messages"][0]["id"], shown["waba_payload"]["id"]);
        }
        ids.insert(sent.body["id"].to_string());
    }
    assert_eq!(ids.len(), count);
    let texts: Vec<String> =
        delivered(&inbox).await.iter().map(|message| message["text"]["body"].to_string()).collect();
    let once: BTreeSet<&String> = texts.iter().collect();
    assert_eq!((texts.len(), once.len()), (count, count), "{texts:?}");
    for id in ids {
        let id = serde_json::from_str(&id).unwrap();
        let shown = message(&inbox, RUI, &id).await;
        assert!(shown["waba_payload"]["id"].is_string(), "{shown}");
        assert_eq!(shown["is_failed"], false);
    }
}
