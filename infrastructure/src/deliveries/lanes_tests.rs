//! The order and the limits of lanes, with chance and with many receivers.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

const NOW: DateTime<Utc> = DateTime::<Utc>::UNIX_EPOCH;

fn delivery(receiver: i64, position: i64, chats: &[&str]) -> Delivery {
    Delivery {
        key: Key { receiver, position, part: 0, piece: 0 },
        id: Uuid::from_u128(position.unsigned_abs().into()),
        wa_ids: chats.iter().map(|chat| (*chat).to_owned()).collect(),
        body_id: Some(Uuid::nil()),
        body: None,
        attempts: 0,
        not_before: NOW,
    }
}

fn lanes() -> Lanes {
    Lanes::new(Limits::default())
}

fn positions(lanes: &mut Lanes, now: DateTime<Utc>) -> Vec<i64> {
    lanes.wake(now);
    std::iter::from_fn(|| lanes.take(now, true)).map(|delivery| delivery.key.position).collect()
}

fn key(receiver: i64, position: i64) -> Key {
    Key { receiver, position, part: 0, piece: 0 }
}

#[test]
fn r_out_5_a_failing_chat_blocks_only_itself() {
    let mut lanes = lanes();
    for (position, chat) in [(1, "a"), (2, "a"), (3, "b"), (4, "b")] {
        lanes.push(delivery(1, position, &[chat]), NOW);
    }
    assert_eq!(positions(&mut lanes, NOW), [1, 3]);
    let later = NOW + TimeDelta::seconds(5);
    lanes.done(key(1, 1), End::Again(later, 1), Some(false), NOW);
    lanes.done(key(1, 3), End::Over, Some(true), NOW);
    assert_eq!(positions(&mut lanes, NOW), [4]);
    assert_eq!(lanes.next_wake(), Some(later));
    assert_eq!(positions(&mut lanes, later), [1]);
    lanes.done(key(1, 1), End::Over, Some(false), later);
    assert_eq!(positions(&mut lanes, later), [2], "dead, so the next may go");
}

#[test]
fn r_out_5_what_is_about_several_chats_waits_for_each() {
    let mut lanes = lanes();
    for (position, chats) in [(1, &["a"][..]), (2, &["a", "b"]), (3, &["b"]), (4, &[]), (5, &[])] {
        lanes.push(delivery(1, position, chats), NOW);
    }
    assert_eq!(positions(&mut lanes, NOW), [1, 4], "what is about no chat has a lane of its own");
    lanes.done(key(1, 1), End::Over, Some(true), NOW);
    assert_eq!(positions(&mut lanes, NOW), [2]);
    lanes.done(key(1, 2), End::Over, Some(true), NOW);
    assert_eq!(positions(&mut lanes, NOW), [3]);
}

#[test]
fn receivers_take_turns_within_their_limits_and_many_are_cheap() {
    let mut lanes = lanes();
    for receiver in 0..10_000 {
        for position in 0..3 {
            lanes.push(delivery(receiver, position, &[&position.to_string()]), NOW);
        }
    }
    for n in 0..30_000 {
        let taken = lanes.take(NOW, true).expect("one more");
        assert_eq!(taken.key.receiver, n % 10_000, "each in turn");
        lanes.done(taken.key, End::Over, Some(true), NOW);
    }
    assert!(lanes.take(NOW, true).is_none());
    assert_eq!(lanes.loaded, 0);
    for position in 10..30 {
        lanes.push(delivery(1, position, &[&position.to_string()]), NOW);
    }
    assert_eq!(positions(&mut lanes, NOW).len(), Limits::default().in_flight);
}

#[test]
fn first_tries_go_before_late_ones() {
    let mut lanes = lanes();
    lanes.push(Delivery { attempts: 5, ..delivery(1, 1, &["a"]) }, NOW);
    assert!(lanes.take(NOW, false).is_none());
    lanes.push(delivery(1, 2, &["b"]), NOW);
    assert_eq!(lanes.take(NOW, false).map(|taken| taken.key.position), Some(2));
    assert_eq!(lanes.take(NOW, true).map(|taken| taken.key.position), Some(1));
}

#[test]
fn a_long_backlog_stays_in_the_table_and_comes_page_by_page() {
    let mut lanes = Lanes::new(Limits { rows: 4, ..Limits::default() });
    for position in 0..6 {
        lanes.push(delivery(1, position, &["a"]), NOW);
    }
    assert_eq!((lanes.loaded, lanes.hungry(9).len()), (4, 0));
    for position in 0..3 {
        assert_eq!(positions(&mut lanes, NOW), [position]);
        lanes.done(key(1, position), End::Over, Some(true), NOW);
    }
    assert_eq!(lanes.hungry(9), [(1, Some(key(1, 3)))]);
    lanes.push(delivery(1, 6, &["a"]), NOW);
    assert_eq!(lanes.loaded, 1, "others come before it");
    lanes.load(1, (4..7).map(|position| delivery(1, position, &["a"])).collect(), true, NOW);
    lanes.push(delivery(1, 6, &["a"]), NOW);
    assert_eq!(lanes.loaded, 4, "in step again, nothing twice");
    assert_eq!(positions(&mut lanes, NOW), [3]);
}

#[test]
fn of_a_disabled_receiver_nothing_stays_and_all_comes_back() {
    let mut lanes = lanes();
    lanes.push(delivery(1, 1, &["a"]), NOW);
    lanes.push(delivery(1, 2, &["a"]), NOW);
    assert_eq!(positions(&mut lanes, NOW), [1]);
    lanes.enable(1, false);
    lanes.push(delivery(1, 3, &["b"]), NOW);
    assert_eq!((lanes.loaded, positions(&mut lanes, NOW).len(), lanes.hungry(9).len()), (1, 0, 0));
    lanes.enable(1, true);
    assert_eq!(lanes.hungry(9), [(1, None)]);
    let page = vec![delivery(1, 1, &["a"]), delivery(1, 2, &["a"]), delivery(1, 3, &["b"])];
    lanes.load(1, page, true, NOW);
    assert_eq!(positions(&mut lanes, NOW), [3], "the first is still under way");
    lanes.done(key(1, 1), End::Over, Some(true), NOW);
    assert_eq!(positions(&mut lanes, NOW), [2]);
}

#[test]
fn a_receiver_that_only_fails_is_left_alone_for_a_while() {
    let mut lanes = lanes();
    for position in 0..40 {
        lanes.push(delivery(1, position, &[&position.to_string()]), NOW);
    }
    for _ in 0..10 {
        let taken = lanes.take(NOW, true).expect("one more");
        lanes.done(taken.key, End::Again(NOW + TimeDelta::days(1), 1), Some(false), NOW);
    }
    assert!(lanes.take(NOW, true).is_none());
    let later = NOW + TimeDelta::seconds(30);
    assert_eq!(positions(&mut lanes, later), [10], "one, to see");
    lanes.done(key(1, 10), End::Over, Some(true), later);
    assert_eq!(positions(&mut lanes, later).len(), Limits::default().in_flight);
}

proptest! {
    /// Whatever is delivered, fails and dies, no delivery of a chat is begun before those before it are over, and all
    /// are over at last.
    #[test]
    fn r_out_5_order_holds_for_every_course(
        chats in prop::collection::vec(prop::collection::btree_set(0_usize..4, 0..3), 1..40),
        course in prop::collection::vec((any::<bool>(), 0_usize..8), 0..200),
    ) {
        let names = ["a", "b", "c", "d"];
        let (mut lanes, mut now) = (lanes(), NOW);
        let mut left: BTreeMap<i64, BTreeSet<&str>> = BTreeMap::new();
        for (position, chats) in (0..).zip(&chats) {
            let chats: Vec<&str> = chats.iter().map(|chat| names[*chat]).collect();
            lanes.push(delivery(1, position, &chats), now);
            left.insert(position, if chats.is_empty() { [""].into() } else { chats.into_iter().collect() });
        }
        let mut under_way: Vec<i64> = Vec::new();
        let mut course = course.into_iter();
        while !left.is_empty() {
            lanes.wake(now);
            while let Some(taken) = lanes.take(now, true) {
                let position = taken.key.position;
                let mine = &left[&position];
                let before = left.range(..position).find(|(_, other)| !other.is_disjoint(mine));
                prop_assert_eq!(before, None);
                under_way.push(position);
            }
            let Some((fails, which)) = course.next().or(Some((false, 0))) else { break };
            if under_way.is_empty() {
                now += TimeDelta::seconds(60);
                continue;
            }
            let position = under_way.remove(which % under_way.len());
            if fails {
                lanes.done(key(1, position), End::Again(now + TimeDelta::seconds(5), 1), None, now);
            } else {
                left.remove(&position);
                lanes.done(key(1, position), End::Over, None, now);
            }
        }
        prop_assert_eq!(lanes.loaded, 0);
    }
}
