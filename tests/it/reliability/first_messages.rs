//! R9: fifty first messages of one new contact at once make one contact and one chat.

use serde_json::json;

use super::rounds;
use crate::harness::inbox::{Inbox, contact, now, text_message};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r9_fifty_first_messages_at_once_make_one_contact_and_one_chat() {
    let inbox = Inbox::start().await;
    let runs = i64::try_from(rounds(10, 100)).unwrap();
    for run in 0..runs {
        let from = format!("351913{run:06}");
        let deliveries = (0..50).map(|i| {
            let message = text_message(&from, &format!("wamid.{run}-{i}"), now(), "Hello");
            let call = inbox.call(json!({"contacts": [contact(&from, "Rui")], "messages": [message]}));
            let inbox = &inbox;
            async move { inbox.deliver(&call.to_string()).await }
        });
        for answer in futures_util::future::join_all(deliveries).await {
            assert_eq!(answer.status, 200, "{}", answer.text);
        }
    }
    inbox.settle().await;
    assert_eq!(inbox.count("SELECT count(*) FROM read_models.chats").await, runs);
    assert_eq!(inbox.count("SELECT count(*) FROM read_models.persons").await, runs);
    assert_eq!(inbox.count("SELECT count(*) FROM read_models.messages").await, runs * 50);
    let profiles = "SELECT count(*) FROM ledger.events WHERE event_type = 'ContactProfileSeen'";
    assert_eq!(inbox.count(profiles).await, runs);
}
