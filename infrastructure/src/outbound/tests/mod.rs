//! The sender on a real Postgres, with a WhatsApp that does as it is told.

mod files;
mod world;

use std::{
    sync::{Arc, atomic::Ordering::SeqCst},
    time::Duration,
};

use chatledger_application::ports::whatsapp::Outcome;
use chatledger_domain::chat::MessageAccepted;
use tokio::time::{Instant, sleep};
use world::{Base, message};

use super::{Parts, Sender, SenderConfig};
use crate::postgres::{Embedded, PgLedger};

fn quick() -> SenderConfig {
    SenderConfig {
        poll: Duration::from_millis(100),
        lease: Duration::from_secs(1),
        unknown_block: Duration::from_millis(700),
        rate: 10_000,
        ..SenderConfig::default()
    }
}

/// One cluster for all: starting one takes seconds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sender_keeps_its_promises() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = Embedded::start(folder.path()).await.unwrap();
    every_message_goes_out_once_and_in_the_order_of_its_chat(Base::new(&cluster, "a").await).await;
    two_servers_share_the_work(Base::new(&cluster, "b").await).await;
    r_26_an_unknown_outcome_is_not_repeated(Base::new(&cluster, "c").await).await;
    what_was_not_taken_is_tried_again_and_given_up_at_last(Base::new(&cluster, "d").await).await;
    a_dead_servers_call_has_an_unknown_outcome(Base::new(&cluster, "e").await).await;
    a_lost_cursor_sends_nothing_again(Base::new(&cluster, "f").await).await;
    quoted_messages_go_out_by_whatsapps_ids(Base::new(&cluster, "g").await).await;
    a_number_has_a_rate(Base::new(&cluster, "h").await).await;
    files::our_own_files_are_given_first_and_once(Base::new(&cluster, "i").await).await;
    files::a_dead_servers_upload_is_made_again(Base::new(&cluster, "j").await).await;
    cluster.stop().await;
}

async fn every_message_goes_out_once_and_in_the_order_of_its_chat(mut base: Base) {
    base.queue("5", 1).await;
    // Nobody looks around in time: only what is told moves the messages.
    let config = SenderConfig { poll: Duration::from_secs(15), ..quick() };
    let sender = Sender::start(base.parts.clone(), config);
    base.until("caught up", async |base| base.world.settled().len() == 1).await;
    let start = Instant::now();
    base.queue("5", 2).await;
    base.until("called", async |base| base.world.calls().len() == 2).await;
    let latency = start.elapsed();
    assert!(latency < Duration::from_secs(2), "the feed did not wake the sender: {latency:?}");
    base.world.takes.store(3, SeqCst);
    for n in 10..210 {
        base.queue(["5", "6", "7", "8"][n as usize % 4], n).await;
    }
    base.until_settled(202).await;
    let calls = base.world.calls();
    assert_eq!(calls.len(), 202);
    for chat in 0..4 {
        let of_chat: Vec<_> = calls.iter().filter(|id| id.0.as_u128() >= 10 && id.0.as_u128() % 4 == chat).collect();
        assert!(of_chat.is_sorted() && of_chat.len() == 50, "{of_chat:?}");
    }
    assert!((2..=4).contains(&base.world.most_under_way.load(SeqCst)));
    assert!(base.world.letters()[0].message.text().contains(r"\u0000 \ud800"));
    sender.stop().await;
}

async fn two_servers_share_the_work(mut base: Base) {
    base.world.takes.store(2, SeqCst);
    let other = Parts { ledger: Arc::new(PgLedger::new(base.parts.pool.clone())), ..base.parts.clone() };
    let senders = [Sender::start(base.parts.clone(), quick()), Sender::start(other, quick())];
    for n in 1..=300 {
        base.queue(&format!("{}", n % 7), n).await;
    }
    base.until_settled(300).await;
    let mut calls = base.world.calls();
    for chat in 0..7 {
        assert!(calls.iter().filter(|id| id.0.as_u128() % 7 == chat).is_sorted());
    }
    calls.sort();
    assert_eq!(calls, (1..=300).map(message).collect::<Vec<_>>());
    for sender in senders {
        sender.stop().await;
    }
}

async fn r_26_an_unknown_outcome_is_not_repeated(mut base: Base) {
    let lost = || vec![Outcome::Unknown { reason: "cut".into() }];
    base.world.answers(message(1), lost());
    base.world.answers(message(3), lost());
    let config = SenderConfig { unknown_block: Duration::from_secs(3), ..quick() };
    let sender = Sender::start(base.parts.clone(), config);
    base.queue("5", 1).await;
    base.queue("5", 2).await;
    base.until("lost", async |base| base.world.settled().len() == 1).await;
    sleep(Duration::from_millis(500)).await;
    assert_eq!(base.world.calls(), [message(1)], "the chat waits");
    // A status tells that it was taken.
    let told = MessageAccepted { message_id: message(1), waba_id: "w".into(), response: None };
    let start = Instant::now();
    base.append("5", told.into()).await;
    base.until("goes on", async |base| base.world.calls().len() == 2).await;
    assert!(start.elapsed() < Duration::from_secs(1));
    base.queue("5", 3).await;
    base.queue("5", 4).await;
    base.until("the time is over", async |base| base.world.calls().len() == 4).await;
    base.until_settled(4).await;
    assert_eq!(base.world.calls(), [1, 2, 3, 4].map(message));
    let unknown: Vec<_> = base.world.settled().into_iter().filter(|(_, what)| what == "unknown").collect();
    assert_eq!(unknown.len(), 2);
    sender.stop().await;
}

async fn what_was_not_taken_is_tried_again_and_given_up_at_last(mut base: Base) {
    let later = || Outcome::Later { after: None, reason: "busy".into() };
    base.world.answers(message(1), vec![later()]);
    let sender = Sender::start(base.parts.clone(), quick());
    base.queue("5", 1).await;
    base.queue("5", 2).await;
    base.until_settled(2).await;
    assert_eq!(base.world.calls(), [1, 1, 2].map(message));
    sender.stop().await;

    base.world.disconnected.store(true, SeqCst);
    let sender = Sender::start(base.parts.clone(), quick());
    base.queue("5", 3).await;
    base.until_settled(3).await;
    assert!(base.world.settled()[2].1.contains("No WhatsApp number is connected"));
    base.world.disconnected.store(false, SeqCst);
    sender.stop().await;

    base.world.answers(message(4), vec![later(), later()]);
    let config = SenderConfig { expires: Duration::from_millis(300), ..quick() };
    let sender = Sender::start(base.parts.clone(), config);
    base.queue("5", 4).await;
    base.until_settled(4).await;
    assert!(base.world.settled()[3].1.contains("\"code\":410"));
    assert_eq!(base.world.calls().len(), 4);
    sender.stop().await;
}

async fn a_dead_servers_call_has_an_unknown_outcome(mut base: Base) {
    base.world.takes.store(60_000, SeqCst);
    let config = SenderConfig { grace: Duration::ZERO, ..quick() };
    let sender = Sender::start(base.parts.clone(), config);
    base.queue("5", 1).await;
    base.until("calling", async |base| base.world.calls().len() == 1).await;
    // The lease is kept alive as long as the server lives.
    sleep(Duration::from_millis(1_500)).await;
    let statement = "SELECT count(*) FROM outbound.sends WHERE state = 'calling' AND lease_until > now()";
    let kept: i64 = sqlx::query_scalar(statement).fetch_one(&base.parts.pool).await.unwrap();
    assert_eq!(kept, 1);
    sender.stop().await;
    base.world.takes.store(0, SeqCst);
    let sender = Sender::start(base.parts.clone(), quick());
    base.queue("5", 2).await;
    base.until_settled(2).await;
    assert_eq!(base.world.calls(), [1, 2].map(message));
    assert_eq!(base.world.settled()[0], (message(1), "unknown".to_owned()));
    sender.stop().await;
}

async fn a_lost_cursor_sends_nothing_again(mut base: Base) {
    for n in 1..=3 {
        base.queue("5", n).await;
        let told = MessageAccepted { message_id: message(n), waba_id: format!("w{n}"), response: None };
        base.append("5", told.into()).await;
    }
    base.queue("5", 4).await;
    let sender = Sender::start(base.parts.clone(), quick());
    base.until_settled(1).await;
    assert_eq!(base.world.calls(), [message(4)]);
    sender.stop().await;
}

async fn quoted_messages_go_out_by_whatsapps_ids(mut base: Base) {
    let ours = message(7).to_string();
    let reaction = format!(r#"{{"type":"reaction","reaction":{{"message_id":"{ours}","emoji":"x"}}}}"#);
    let text = r#"{"type":"text","text":{"body":"a \"reaction\""}}"#;
    base.queue_with("5", 1, Some(&ours), text).await;
    base.queue_with("5", 2, Some("wamid.seven"), text).await;
    base.queue_with("5", 3, Some("wamid.other"), text).await;
    base.queue_with("5", 4, Some(&message(8).to_string()), &reaction).await;
    let sender = Sender::start(base.parts.clone(), quick());
    base.until("sent", async |base| base.world.settled().len() == 4).await;
    let calls = base.world.letters();
    let contexts: Vec<_> = calls.iter().map(|letter| letter.context.as_deref()).collect();
    assert_eq!(contexts, [Some("wamid.seven"), Some("wamid.seven"), Some("wamid.other"), None]);
    assert_eq!(calls[0].message.text(), text);
    assert_eq!(calls[3].message.tree()["reaction"]["message_id"], "wamid.seven");
    sender.stop().await;
}

async fn a_number_has_a_rate(mut base: Base) {
    for n in 1..=60 {
        base.queue(&n.to_string(), n).await;
    }
    let sender = Sender::start(base.parts.clone(), SenderConfig { rate: 20, ..quick() });
    let start = Instant::now();
    base.until_settled(60).await;
    let took = start.elapsed();
    assert!((Duration::from_millis(1_900)..Duration::from_millis(4_000)).contains(&took), "{took:?}");
    assert_eq!(base.world.calls().len(), 60);
    sender.stop().await;
}
