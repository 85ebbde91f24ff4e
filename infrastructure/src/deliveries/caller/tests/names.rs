//! R-OUT-8: names that lead elsewhere between two calls, within one, and while a connection is kept.

use std::{
    net::Ipv4Addr,
    sync::atomic::{AtomicUsize, Ordering},
};

use futures_util::future::join_all;

use super::{
    super::{pins::Pins, *},
    world::*,
};
use crate::addresses::{Resolve, remembered};

const TWO: &[&str] = &["127.0.0.2/32", "127.0.0.3/32"];

#[tokio::test]
async fn r_out_8_s4_a_name_that_leads_to_a_forbidden_place_by_now_is_not_called_nor_a_kept_connection_used() {
    let allowed = Listener::start("127.0.0.2").await;
    let (other, forbidden) =
        (Listener::at("127.0.0.3", allowed.port).await, Listener::at("127.0.0.1", allowed.port).await);
    let (names, url) = (Names::default(), format!("http://hook.example:{}/", allowed.port));
    let caller = caller(allow(TWO), &names);
    names.lead("hook.example", &["127.0.0.2"]);
    for _ in 0..3 {
        assert!(caller.hit(&*url).await.is_success());
    }
    assert_eq!((allowed.requests().len(), allowed.connections()), (3, 1), "the connection is used again");
    // Elsewhere, where it may lead: at once, although a connection is kept.
    names.lead("hook.example", &["127.0.0.3"]);
    assert!(caller.hit(&*url).await.is_success());
    assert_eq!((allowed.requests().len(), other.requests().len()), (3, 1));
    for bad in [&["127.0.0.1"][..], &["127.0.0.2", "127.0.0.1"], &["10.0.0.1"], &["::1"]] {
        names.lead("hook.example", bad);
        let outcome = caller.hit(&*url).await;
        let told = "not called: The address leads to a place that may not be called.";
        assert_eq!(outcome.error.as_deref(), Some(told), "{bad:?}");
    }
    assert_eq!((allowed.requests().len(), other.requests().len(), forbidden.connections()), (3, 1, 0));
    // Back where it was, and more: what is kept may be used.
    names.lead("hook.example", &["127.0.0.2", "127.0.0.3"]);
    assert!(caller.hit(&*url).await.is_success());
}

#[tokio::test]
async fn r_out_8_s4_within_a_call_the_connection_goes_to_what_was_vetted() {
    let allowed = Listener::start("127.0.0.2").await;
    let forbidden = Listener::at("127.0.0.1", allowed.port).await;
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let resolve: Resolve = Arc::new(move |_| {
        let first = counter.fetch_add(1, Ordering::SeqCst) == 0;
        let ip = if first { Ipv4Addr::new(127, 0, 0, 2) } else { Ipv4Addr::LOCALHOST };
        Box::pin(async move { Ok(vec![ip.into()]) })
    });
    let caller = caller_asking(allow(TWO), resolve);
    let url = format!("http://rebind.example:{}/", allowed.port);
    assert!(caller.hit(&*url).await.is_success());
    assert_eq!(asked.load(Ordering::SeqCst), 1, "nobody asks the name service a second time");
    assert!(!caller.hit(&*url).await.is_success());
    assert_eq!((allowed.requests().len(), forbidden.connections()), (1, 0));
}

#[tokio::test]
async fn names_are_pinned_as_they_are_asked_for() {
    let (listener, names) = (Listener::start("127.0.0.2").await, Names::default());
    names.lead("xn--bcher-kva.example", &["127.0.0.2"]);
    names.lead("hook.example", &["127.0.0.2"]);
    let caller = caller(allow(TWO), &names);
    for host in ["bücher.example", "xn--bcher-kva.example", "BÜCHER.example.", "HOOK.example", "hook.example."] {
        let outcome = caller.hit(format!("http://{host}:{}/", listener.port)).await;
        assert!(outcome.is_success(), "{host}: {outcome:?}");
    }
    assert_eq!(caller.connections.pinned(), 0, "nothing stays pinned");
}

#[tokio::test]
async fn without_a_pin_there_is_no_connection() {
    let vetted = |port: u16, ips: &[&str]| Vetted {
        url: String::new(),
        origin: String::new(),
        host: "hook.example".to_owned(),
        addresses: ips.iter().map(|ip| (ip.parse::<std::net::IpAddr>().expect("an address"), port).into()).collect(),
    };
    let pins = Pins::default();
    assert!(pins.addresses("hook.example").is_empty());
    let first = pins.pin(&vetted(80, &["127.0.0.2", "127.0.0.3"]));
    assert_eq!(pins.addresses("hook.example.").len(), 2);
    assert!(pins.addresses("other.example").is_empty());
    // What was vetted for one port only is nothing that a call to another may get.
    let second = pins.pin(&vetted(443, &["127.0.0.3", "127.0.0.4"]));
    let common = pins.addresses("HOOK.example");
    assert_eq!(common.iter().map(|address| address.ip().to_string()).collect::<Vec<_>>(), ["127.0.0.3"]);
    drop(first);
    assert_eq!(pins.addresses("hook.example").len(), 2);
    drop(second);
    assert_eq!((pins.addresses("hook.example").len(), pins.len()), (0, 0));
}

#[tokio::test]
async fn many_calls_to_a_name_are_one_question_for_a_while() {
    let names = Names::default();
    names.lead("hook.example", &["127.0.0.2"]);
    let resolve = remembered(names.resolve(), Duration::from_millis(200));
    let ask = || resolve("hook.example".to_owned());
    assert!(join_all((0..100).map(|_| ask())).await.iter().all(Result::is_ok));
    assert_eq!(names.asked(), 1);
    assert!(resolve("unknown.example".to_owned()).await.is_err());
    tokio::time::sleep(Duration::from_millis(250)).await;
    names.lead("hook.example", &["127.0.0.1"]);
    assert_eq!(ask().await.expect("an answer"), [std::net::IpAddr::from(Ipv4Addr::LOCALHOST)]);
    assert_eq!(names.asked(), 3);
}
