//! Attempts through the real door: what counts as success, when a failure is tried again, the order, the ids.

use std::{collections::HashSet, time::Duration};

use serde_json::{Value, json};

use crate::harness::{
    inbox::Inbox,
    receiver::{Call, Manner, Receiver},
};

const RUI: &str = "351912000111";
const ANA: &str = "351912000222";

impl Inbox {
    /// One whose pauses between attempts are short.
    pub async fn start_hurried(pauses: &[f64]) -> Self {
        let pauses = pauses.to_vec();
        Self::start_with(move |config| config.retry_after = pauses).await
    }

    /// A webhook of the bot that is told of incoming messages.
    pub async fn tell_bot(&self, receiver: &Receiver) -> i64 {
        let made = self.post(&self.bot, "webhooks/waba/", json!({"url": receiver.url, "on_incoming_message": true}));
        made.await.expect(201)["id"].as_i64().expect("a number")
    }

    /// Waits until so many deliveries are in a state.
    #[track_caller]
    fn until_deliveries(&self, state: &str, count: i64) -> impl Future<Output = ()> {
        let (pool, state, caller) = (self.pool.clone(), state.to_owned(), std::panic::Location::caller());
        async move {
            let sql = "SELECT count(*) FROM outbound.deliveries WHERE state = $1";
            for _ in 0..1_000 {
                let found: i64 = sqlx::query_scalar(sql).bind(&state).fetch_one(&pool).await.expect("an answer");
                if found == count {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            panic!("{caller}: not {count} deliveries {state} within 10 s");
        }
    }
}

fn text(call: &Call) -> String {
    call.body["messages"][0]["text"]["body"].as_str().unwrap_or_default().to_owned()
}

fn chat(call: &Call) -> String {
    call.body["messages"][0]["from"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn r_out_3_any_2xx_is_success_and_a_redirect_is_none() {
    let inbox = Inbox::start_hurried(&[0.1]).await;
    let receiver = Receiver::with(Manner::status(204)).await;
    inbox.tell_bot(&receiver).await;
    inbox.customer_writes(RUI, "one").await;
    receiver.wait_for(1).await;
    inbox.until_deliveries("delivered", 1).await;
    receiver.behave(Manner::Answer(302, "location: /elsewhere\r\n", String::new()));
    inbox.customer_writes(RUI, "two").await;
    inbox.until_deliveries("dead", 1).await;
    assert_eq!(receiver.calls().iter().filter(|call| call.path.contains("elsewhere")).count(), 0);
    assert_eq!(receiver.count(), 3, "one, and two attempts of the other");
}

#[tokio::test(flavor = "multi_thread")]
async fn r_out_4_a_failed_delivery_is_tried_again_and_given_up_at_last() {
    let inbox = Inbox::start_hurried(&[0.1, 0.2, 0.3]).await;
    let receiver = Receiver::with(Manner::status(503)).await;
    let hook = inbox.tell_bot(&receiver).await;
    inbox.customer_writes(RUI, "one").await;
    inbox.until_deliveries("dead", 1).await;
    let calls = receiver.calls();
    assert_eq!(calls.len(), 4);
    let ids: HashSet<&str> = calls.iter().map(|call| call.header("webhook-id")).collect();
    assert_eq!(ids.len(), 1, "the same id for every attempt");
    assert!(calls.iter().all(|call| call.raw == calls[0].raw), "and the same bytes");
    let attempts: Vec<&str> = calls.iter().map(|call| call.header("x-chatledger-attempt")).collect();
    assert_eq!(attempts, ["1", "2", "3", "4"]);
    for (pair, pause) in calls.windows(2).zip([80, 160, 240]) {
        assert!(pair[1].at - pair[0].at >= Duration::from_millis(pause));
    }
    let log: Value =
        sqlx::query_scalar("SELECT log::jsonb FROM outbound.deliveries").fetch_one(&inbox.pool).await.unwrap();
    assert_eq!(log.as_array().map(Vec::len), Some(4));
    assert_eq!(log[3]["status"], 503);
    // It is kept and replayed, with the same id.
    receiver.behave(Manner::status(200));
    let replay = format!("webhooks/waba/{hook}/deliveries/replay/");
    let id = calls[0].header("webhook-id");
    inbox.post(&inbox.admin, &replay, json!({"ids": [id]})).await;
    let calls = receiver.wait_for(5).await;
    assert_eq!(calls[4].header("webhook-id"), id);
    inbox.until_deliveries("delivered", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r_out_4_gone_is_dead_at_once_and_retry_after_only_pushes_later() {
    let inbox = Inbox::start_hurried(&[0.1, 0.1]).await;
    let receiver = Receiver::with(Manner::status(410)).await;
    inbox.tell_bot(&receiver).await;
    inbox.customer_writes(RUI, "one").await;
    inbox.until_deliveries("dead", 1).await;
    assert_eq!(receiver.count(), 1);
    receiver.behave(Manner::Answer(429, "retry-after: 1\r\n", String::new()));
    inbox.customer_writes(RUI, "two").await;
    receiver.wait_for(2).await;
    receiver.behave(Manner::status(200));
    let calls = receiver.wait_for(3).await;
    assert!(calls[2].at - calls[1].at >= Duration::from_millis(990));
}

#[tokio::test(flavor = "multi_thread")]
async fn r_out_5_a_failing_chat_holds_back_itself_and_no_other() {
    let inbox = Inbox::start_hurried(&[0.3; 11]).await;
    let receiver = Receiver::start().await;
    receiver.answer(|call| Manner::status(if chat(call) == RUI { 500 } else { 200 }));
    inbox.tell_bot(&receiver).await;
    for n in 0..4 {
        inbox.customer_writes(RUI, &format!("rui {n}")).await;
        inbox.customer_writes(ANA, &format!("ana {n}")).await;
    }
    inbox.until_deliveries("delivered", 4).await;
    let calls = receiver.calls();
    assert!(calls.iter().filter(|call| chat(call) == RUI).all(|call| text(call) == "rui 0"), "the others wait");
    receiver.behave(Manner::status(200));
    inbox.until_deliveries("delivered", 8).await;
    for of in [RUI, ANA] {
        let mut texts: Vec<String> = receiver.calls().iter().filter(|call| chat(call) == of).map(text).collect();
        texts.dedup();
        let name = if of == RUI { "rui" } else { "ana" };
        assert_eq!(texts, (0..4).map(|n| format!("{name} {n}")).collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r_out_7_what_was_recorded_is_delivered_by_the_next_server() {
    let inbox = Inbox::start_hurried(&[0.5; 11]).await;
    let receiver = Receiver::with(Manner::status(500)).await;
    inbox.tell_bot(&receiver).await;
    inbox.customer_writes(RUI, "one").await;
    let id = receiver.wait_for(1).await[0].header("webhook-id").to_owned();
    let other = inbox.beside().await;
    inbox.customer_writes(RUI, "two").await;
    drop(inbox);
    receiver.behave(Manner::status(200));
    other.until_deliveries("delivered", 2).await;
    let calls = receiver.calls();
    let ones = calls.iter().filter(|call| text(call) == "one");
    assert!(
        ones.clone().count() >= 2 && ones.clone().all(|call| call.header("webhook-id") == id),
        "r_out_6: the same id"
    );
    assert_eq!(calls.last().map(text).as_deref(), Some("two"));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_deliver_nothing_twice() {
    let inbox = Inbox::start().await;
    let other = inbox.beside().await;
    let receiver = Receiver::start().await;
    inbox.tell_bot(&receiver).await;
    for n in 0..20 {
        let server = if n % 2 == 0 { &inbox } else { &other };
        server.customer_writes(RUI, &n.to_string()).await;
    }
    inbox.until_deliveries("delivered", 20).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let texts: Vec<String> = receiver.calls().iter().map(text).collect();
    assert_eq!(texts, (0..20).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn r_out_6_a_call_without_an_answer_is_repeated_with_the_same_id() {
    let inbox = Inbox::start_hurried(&[0.1; 11]).await;
    let receiver = Receiver::with(Manner::Reset).await;
    inbox.tell_bot(&receiver).await;
    inbox.customer_writes(RUI, "one").await;
    receiver.wait_for(2).await;
    receiver.behave(Manner::status(200));
    inbox.until_deliveries("delivered", 1).await;
    let calls = receiver.calls();
    let ids: HashSet<&str> = calls.iter().map(|call| call.header("webhook-id")).collect();
    assert_eq!(ids.len(), 1, "whoever took the first knows the others");
}
