//! R13: receivers that never answer, drip, never end, pack bombs, reset or speak no HTTP delay nobody else.
//!
//! The figure (what they add to the healthy ones' 99th percentile) is printed by `cargo bench -- deliveries`; here the
//! healthy ones get everything while the sick ones are at their worst.

use std::time::{Duration, Instant};

use chatledger_domain::Role;

use super::arrivals;
use crate::harness::{
    inbox::Inbox,
    receiver::{Manner, Receiver},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r13_sick_receivers_delay_no_healthy_one() {
    let inbox = Inbox::start().await;
    let manners = [
        Manner::Silent,
        Manner::Drip,
        Manner::Endless,
        Manner::Bomb,
        Manner::Reset,
        Manner::Garbage,
        Manner::status(500),
    ];
    let (mut healthy, mut sick) = (Vec::new(), Vec::new());
    for (number, manner) in manners.into_iter().enumerate() {
        for (name, receivers, manner) in [("sick", &mut sick, manner), ("healthy", &mut healthy, Manner::status(200))] {
            let user = inbox.add_user(&format!("{name}{number}"), Role::User).await;
            let receiver = Receiver::with(manner).await;
            arrivals::register(&inbox.http, &user.token, &receiver).await;
            receivers.push(receiver);
        }
    }
    let since = Instant::now();
    for round in 0..40 {
        inbox.customer_writes(&format!("3519120{:05}", round % 20), "Hello").await;
    }
    for receiver in &healthy {
        arrivals::wait_for(receiver, 40, Duration::from_secs(10)).await;
        assert_eq!(arrivals::check(&inbox.pool, receiver).await, 0);
    }
    // All of it, long before the first silent call is given up and long before any retry of the third try.
    assert!(since.elapsed() < Duration::from_secs(20), "{:?}", since.elapsed());
    for receiver in &sick {
        assert!(receiver.count() > 0, "a sick receiver was not called at all");
    }
}
