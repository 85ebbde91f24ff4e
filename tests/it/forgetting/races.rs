//! Forgetting while everything else goes on: whoever had read what is blanked drops it all the same.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{RUI, dump, everything_is_in_order};
use crate::{
    harness::{
        inbox::{Inbox, contact, now, text_message},
        receiver::{Manner, Receiver},
    },
    inbound::cli,
};

const SECRET: &str = "nachtigall";

impl Inbox {
    async fn erases(&self, wa_id: &str) -> Value {
        self.post(&self.admin, &format!("contacts/{wa_id}/erase/"), json!({})).await.expect(200)
    }

    async fn until_there_is(&self, sql: &str) {
        for _ in 0..400 {
            if self.count(sql).await > 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("not within 10 s: {sql}");
    }
}

async fn nothing_is_left(inbox: &Inbox) {
    let dumped = dump(&inbox.database_url).await;
    let at = dumped.find(SECRET).map(|at| dumped[at.saturating_sub(300)..(at + 60).min(dumped.len())].to_owned());
    assert_eq!(at, None);
}

#[tokio::test]
async fn a_message_that_waits_for_whatsapp_is_not_sent_any_more() {
    let inbox = Inbox::start().await;
    inbox.customer_writes(RUI, "Hello").await;
    inbox.behave(json!({"http_status": {"status": 503, "count": 1}})).await;
    let sent = json!({"wa_id": RUI, "type": "text", "text": {"body": SECRET}});
    inbox.post(&inbox.admin, "messages/", sent).await;
    let before = inbox.count("SELECT count(*) FROM outbound.sends").await;
    assert_eq!(before, 1, "it waits");
    let erased = inbox.erases(RUI).await;
    assert_eq!(erased["unsent_messages"], 1, "{erased}");
    inbox.settle().await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(inbox.delivered().await["messages"].as_array().map(Vec::len), Some(0));
    let failed = "SELECT count(*) FROM read_models.messages WHERE is_failed AND from_us AND errors IS NULL";
    assert_eq!(inbox.count(failed).await, 1, "the record says that it was not sent");
    nothing_is_left(&inbox).await;
    everything_is_in_order(&inbox).await;
    // What is written from now on is sent. Not all faults need have been met.
    inbox.behave(json!({"http_status": {"status": 503, "count": 0}})).await;
    inbox.customer_writes(RUI, "Hello again").await;
    let sent = json!({"wa_id": RUI, "type": "text", "text": {"body": "Welcome"}});
    inbox.post(&inbox.admin, "messages/", sent).await.expect(201);
}

#[tokio::test]
async fn a_file_that_is_being_fetched_is_not_kept() {
    let inbox = Inbox::start().await;
    let request = inbox.http.raw.post(format!("{}/simulator/media", inbox.simulator_url));
    let bytes = SECRET.repeat(20_000);
    let request = request.header("Content-Type", "application/pdf").body(bytes);
    let file = inbox.http.send(request).await.expect(200)["id"].clone();
    inbox.behave(json!({"media": {"fault": "slow", "ms": 3_000, "count": 1}})).await;
    let mut message = text_message(RUI, "wamid.file", now(), "");
    message["type"] = json!("document");
    message["document"] = json!({"id": file, "mime_type": "application/pdf", "filename": SECRET});
    inbox.bring(json!({"messages": [message]})).await;
    inbox.until_there_is("SELECT count(*) FROM outbound.fetches WHERE lease_until > now()").await;
    inbox.erases(RUI).await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    inbox.settle().await;
    assert_eq!(inbox.count("SELECT count(*) FROM ledger.events WHERE event_type = 'MediaStored'").await, 0);
    assert_eq!(inbox.count("SELECT count(*) FROM outbound.fetches").await, 0);
    let kept = std::fs::read_dir(inbox.data_dir().join("media").join(inbox.tenant.to_string()));
    assert_eq!(kept.map(Iterator::count).unwrap_or(0), 0, "no bytes are left behind");
    nothing_is_left(&inbox).await;
    everything_is_in_order(&inbox).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deliveries_under_way_and_waiting_lose_what_they_say_and_others_go_on() {
    let inbox = Inbox::start_with(|config| config.retry_after = vec![2.0, 2.0, 2.0]).await;
    let receiver = Receiver::with(Manner::Answer(500, "", SECRET.to_owned())).await;
    inbox.post(&inbox.agent, "webhooks/waba/", json!({"url": receiver.url})).await.expect(201);
    let ana = "351912000222";
    let of = |wa_id: &str, id: &str, text: &str| text_message(wa_id, id, now(), text);
    // One call of WhatsApp, so one body, about two customers.
    let messages = [of(RUI, "wamid.1", SECRET), of(ana, "wamid.2", "Ana's own words")];
    inbox.bring(json!({"contacts": [contact(RUI, SECRET), contact(ana, "Ana")], "messages": messages})).await;
    inbox.bring(json!({"contacts": [contact(RUI, SECRET)], "messages": [of(RUI, "wamid.3", SECRET)]})).await;
    inbox.settle().await;
    receiver.wait_for(1).await;
    inbox.until_there_is("SELECT count(*) FROM outbound.deliveries WHERE log IS NOT NULL").await;
    let erased = inbox.erases(RUI).await;
    assert!(erased["deliveries"].as_i64() >= Some(1), "{erased}");
    let so_far = receiver.count();
    receiver.behave(Manner::status(200));
    let call = "SELECT count(*) FROM outbound.deliveries WHERE state = 'delivered'";
    inbox.until_there_is(call).await;
    inbox.settle().await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let later: Vec<String> =
        receiver.calls()[so_far..].iter().map(|call| String::from_utf8_lossy(&call.raw).into_owned()).collect();
    assert!(later.iter().any(|body| body.contains("Ana's own words")), "{later:?}");
    assert!(later.iter().all(|body| !body.contains(SECRET)), "{later:?}");
    nothing_is_left(&inbox).await;
    // And the chat's queue goes on.
    inbox.customer_writes(RUI, "a new beginning").await;
    let news =
        async || receiver.calls().iter().any(|call| String::from_utf8_lossy(&call.raw).contains("a new beginning"));
    for _ in 0..200 {
        if news().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("what comes later is not told");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forgetting_amid_traffic_leaves_nothing_and_loses_nobody_elses() {
    let inbox = Inbox::start().await;
    let receiver = Receiver::start().await;
    inbox.post(&inbox.agent, "webhooks/waba/", json!({"url": receiver.url})).await.expect(201);
    let customer = |n: u32| format!("35191200{n:04}");
    let burst = async |from: u32, round: u32| {
        let wa_id = customer(from);
        let says = if from < 10 { SECRET } else { "stays" };
        let texts: Vec<Value> = (0..10)
            .map(|n| text_message(&wa_id, &format!("wamid.{from}.{round}.{n}"), now(), &format!("{says} {n}")))
            .collect();
        inbox.bring(json!({"contacts": [contact(&wa_id, says)], "messages": texts})).await;
    };
    // Of every customer a first burst; then those below ten are forgotten while all the others go on writing.
    join_all((0..20).map(|n| burst(n, 0))).await;
    let erasing = join_all((0..10).map(|n| {
        let wa_id = customer(n);
        async { inbox.erases(&{ wa_id }).await }
    }));
    let writing = async {
        for round in 1..6 {
            join_all((10..20).map(|n| burst(n, round))).await;
        }
    };
    let (erased, ()) = tokio::join!(erasing, writing);
    assert!(erased.iter().all(|erased| erased["events"].as_i64() >= Some(11)), "{erased:?}");
    inbox.settle().await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    nothing_is_left(&inbox).await;
    let kept = "SELECT count(*) FROM read_models.messages WHERE search LIKE 'stays%'";
    assert_eq!(inbox.count(kept).await, 600);
    everything_is_in_order(&inbox).await;
}

#[tokio::test]
async fn that_the_access_token_is_refused_outlives_the_customer_who_was_written_to() {
    let inbox = Inbox::start().await;
    inbox.customer_writes(RUI, "Hello").await;
    inbox.behave(json!({"fail_next": {"code": 190}})).await;
    let sent = json!({"wa_id": RUI, "type": "text", "text": {"body": SECRET}});
    inbox.post(&inbox.admin, "messages/", sent).await;
    inbox.settle().await;
    let refused = "SELECT count(*) FROM read_models.whatsapp_accounts WHERE is_refused";
    assert_eq!(inbox.count(refused).await, 1);
    inbox.erases(RUI).await;
    inbox.settle().await;
    assert_eq!(inbox.count(refused).await, 1);
    nothing_is_left(&inbox).await;
    everything_is_in_order(&inbox).await;
}

#[tokio::test]
async fn what_is_parked_is_forgotten_at_once_and_retried_without_harm_to_what_came_later() {
    let inbox = Inbox::start().await;
    inbox
        .bring(json!({"contacts": [contact(RUI, SECRET)], "messages": [text_message(RUI, "wamid.1", now(), SECRET)]}))
        .await;
    inbox.settle().await;
    let park = ["projections", "park", "messages", "persons", "customers", "--tenant", "demo", "--stream"];
    let (ok, said) = cli(&inbox, inbox.data_dir(), &[&park[..], &[&format!("Contact/{RUI}")]].concat()).await;
    assert!(ok, "{said}");
    inbox.erases(RUI).await;
    inbox
        .bring(json!({"contacts": [contact(RUI, "Rui")], "messages": [text_message(RUI, "wamid.2", now(), "Later")]}))
        .await;
    inbox.settle().await;
    nothing_is_left(&inbox).await;
    let (ok, said) = cli(&inbox, inbox.data_dir(), &["projections", "retry"]).await;
    assert!(ok, "{said}");
    let later = "SELECT count(*) FROM read_models.messages WHERE payload::text LIKE '%Later%'";
    assert_eq!(inbox.count(later).await, 1, "what came afterwards is nobody's to blank");
    everything_is_in_order(&inbox).await;
}

#[tokio::test]
async fn a_rebuild_that_is_cut_short_keeps_nothing_of_who_was_forgotten_meanwhile() {
    let inbox = Inbox::start().await;
    inbox.customer_writes(RUI, SECRET).await;
    inbox.settle().await;
    // Whoever rebuilds holds this lock.
    let mut rebuild = inbox.pool.begin().await.unwrap();
    sqlx::query("SELECT pg_advisory_xact_lock(7163082359995458663)").execute(&mut *rebuild).await.unwrap();
    let read = format!(
        "CREATE TABLE read_models_next.messages AS SELECT * FROM read_models.messages WHERE payload::text LIKE '%{SECRET}%'"
    );
    sqlx::query(&read).execute(&inbox.pool).await.unwrap();
    inbox.erases(RUI).await;
    inbox.settle().await;
    assert!(dump(&inbox.database_url).await.contains(SECRET), "it is under way");
    rebuild.rollback().await.unwrap();
    chatledger_projections::forget_unfinished(&inbox.pool).await.unwrap();
    nothing_is_left(&inbox).await;
    everything_is_in_order(&inbox).await;
}
