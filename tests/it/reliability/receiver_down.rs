//! R11: a receiver is down for an hour of scaled time while twenty chats go on; when it is back it is told everything,
//! in order within each chat, without a stampede.

use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use serde_json::json;

use super::{arrivals, rounds};
use crate::harness::{
    inbox::{Inbox, contact, now, text_message},
    receiver::{Manner, Receiver},
};

/// An hour, in scaled time: the real pauses are 600 times as long.
const HOUR: Duration = Duration::from_secs(6);
/// Calls that one receiver may have at once.
const IN_FLIGHT: usize = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r11_a_receiver_that_was_down_for_an_hour_is_told_everything_in_order() {
    let real = [5.0, 30.0, 120.0, 600.0, 1_800.0, 3_600.0, 10_800.0, 21_600.0, 43_200.0, 86_400.0, 86_400.0];
    let inbox = Inbox::start_with(|config| {
        config.retry_after = real.iter().map(|pause| pause / 600.0).collect();
    })
    .await;
    let receiver = Receiver::with(Manner::status(503)).await;
    arrivals::register(&inbox.http, &inbox.bot.token, &receiver).await;
    let messages = rounds(2_000, 50_000);
    let since = Instant::now();
    let calls = (0..messages).map(|n| {
        let chat = format!("3519120{:05}", n % 20);
        let text = text_message(&chat, &format!("wamid.d{n}"), now(), "Hello");
        inbox.bring(json!({"contacts": [contact(&chat, "Somebody")], "messages": [text]}))
    });
    stream::iter(calls).buffer_unordered(16).for_each(|()| std::future::ready(())).await;
    tokio::time::sleep(HOUR.saturating_sub(since.elapsed())).await;
    let while_down = receiver.count();
    assert!(while_down > 0, "it was not called at all");
    // Each chat's first delivery alone was tried, a few times.
    assert!(while_down <= 20 * 12, "{while_down} calls to a receiver that is down");

    // Slow enough that calls meet.
    receiver.behave(Manner::Slow(Duration::from_millis(3)));
    // The next try of a chat may be an hour away.
    let back = Instant::now();
    while receiver.count() < while_down + 1 {
        assert!(back.elapsed() < HOUR * 2, "nobody tries again");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let first = Instant::now();
    arrivals::wait_for(&receiver, messages, HOUR * 2 + Duration::from_secs(messages as u64 / 200)).await;
    let rate = messages as f64 / first.elapsed().as_secs_f64();
    println!("caught up with {messages} messages at {rate:.0} a second (bar: 200)");
    assert!(receiver.most_at_once() <= IN_FLIGHT, "{} at once", receiver.most_at_once());
    arrivals::check(&inbox.pool, &receiver).await;
}
