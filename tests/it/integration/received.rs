//! Contract §G, received marks.

use serde_json::{Value, json};

use super::{NOBODY, NOT_FOUND, RUI, column};
use crate::harness::inbox::{Inbox, now};

async fn received(inbox: &Inbox, by: &chatledger_api::bootstrap::Login) -> Vec<Value> {
    column(&inbox.page(by, "messages/").await, "/received")
}

#[tokio::test]
async fn r_rcv_1_2_and_5_a_mark_is_one_users_and_only_grows() {
    let inbox = Inbox::start().await;
    let (agent, at) = (&inbox.agent, now() - 600);
    for time in [0, 10, 20] {
        inbox.customer_wrote(RUI, "Hello", at + time).await;
    }
    let body = json!({"wa_id": RUI, "type": "text", "text": {"body": "Hi"}});
    inbox.post(&inbox.admin, "messages/", body).await.expect(201);
    let mark = async |timestamp: Value| {
        let body = json!({"timestamp": timestamp, "customer_wa_id": RUI});
        inbox.post(agent, "mark_as_received/", body).await.expect(201)
    };
    // R-RCV-1: outgoing always; incoming up to the mark, itself included.
    assert_eq!(received(&inbox, agent).await, [true, false, false, false]);
    assert_eq!(mark(json!(at + 9)).await, json!({}));
    assert_eq!(received(&inbox, agent).await, [true, false, false, true]);
    mark(json!((at + 10).to_string())).await;
    assert_eq!(received(&inbox, agent).await, [true, false, true, true]);
    // R-RCV-2: a smaller one is accepted and does nothing.
    for smaller in [at + 10, at, 0, -1] {
        assert_eq!(mark(json!(smaller)).await, json!({}));
    }
    assert_eq!(received(&inbox, agent).await, [true, false, true, true]);
    let marks = "SELECT count(*) FROM ledger.events WHERE event_type = 'MessagesMarkedAsReceived'";
    assert_eq!(inbox.count(marks).await, 2);
    // What comes late and is older is received.
    inbox.customer_wrote(RUI, "late", at + 5).await;
    assert_eq!(received(&inbox, agent).await, [true, false, true, true, true]);
    assert_eq!(inbox.page(agent, "chats/").await["results"][0]["new_messages"], 1);
    // R-RCV-5
    assert_eq!(received(&inbox, &inbox.admin).await, [true, false, false, false, false]);
    assert_eq!(inbox.page(&inbox.admin, "chats/").await["results"][0]["new_messages"], 4);
    // R-RCV-2: a mark beyond now ends now, or at the newest message.
    mark(json!(i64::MAX)).await;
    assert_eq!(received(&inbox, agent).await, [true; 5]);
    inbox.customer_wrote(RUI, "early", now() + 60).await;
    assert_eq!(inbox.page(agent, "chats/").await["results"][0]["new_messages"], 1);
    mark(json!(now() + 3_600)).await;
    assert_eq!(inbox.page(agent, "chats/").await["results"][0]["new_messages"], 0);
    inbox.customer_wrote(RUI, "after", now() + 61).await;
    assert_eq!(inbox.page(agent, "chats/").await["results"][0]["new_messages"], 1);
}

#[tokio::test]
async fn r_rcv_3_marks_are_set_by_name_only() {
    let inbox = Inbox::start().await;
    inbox.customer_writes(RUI, "Hello").await;
    for path in ["chats/", "messages/", "persons/", "chats/351912000111/", "messages/351912000111/"] {
        inbox.page(&inbox.agent, path).await;
    }
    assert_eq!(received(&inbox, &inbox.agent).await, [false]);
    // R-MSG-11: to send is not to receive.
    inbox.give(RUI, &inbox.agent).await;
    let body = json!({"wa_id": RUI, "type": "text", "text": {"body": "Hi"}});
    inbox.post(&inbox.agent, "messages/", body).await.expect(201);
    assert_eq!(inbox.page(&inbox.agent, "chats/").await["results"][0]["new_messages"], 1);
    inbox.page(&inbox.agent, "messages/?mark_as_received=1").await;
    assert_eq!(received(&inbox, &inbox.agent).await, [true, true]);
}

#[tokio::test]
async fn mark_as_received_says_what_is_wrong() {
    let inbox = Inbox::start().await;
    let ask = async |body: Value| inbox.post(&inbox.agent, "mark_as_received/", body).await;
    assert_eq!(
        ask(json!({})).await.expect(400),
        json!({"timestamp": ["This field is required."], "customer_wa_id": ["This field is required."],
               "reason": "timestamp: This field is required."})
    );
    for wrong in [json!("x"), json!(1.5), json!(true), json!([]), json!("99999999999999999999")] {
        let told = ask(json!({"timestamp": wrong, "customer_wa_id": RUI})).await.expect(400);
        assert_eq!(told["timestamp"], json!(["A valid integer is required."]));
    }
    assert_eq!(ask(json!({"timestamp": 1, "customer_wa_id": "abc"})).await.status, 400);
    let answer = ask(json!({"timestamp": 1, "customer_wa_id": NOBODY})).await;
    assert_eq!((answer.status, answer.text.as_str()), (404, NOT_FOUND));
}
