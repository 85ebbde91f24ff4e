//! Which delivery of a tenant goes next: in order for each receiver and chat, side by side otherwise (R-OUT-5). Pure;
//! the time is an argument.
//!
//! A lane is one chat of one receiver; what is about no chat has a lane of its own. A delivery goes when it is the
//! first of each of its lanes, and holds them until it is delivered, dead or put off; one that is put off stays the
//! first, so its lanes wait and no others. Receivers take turns.
//!
//! Memory is bounded: beyond [`Limits::rows`] of a receiver deliveries stay in the table, and are asked for by
//! [`Lanes::hungry`] in the order of their keys.

use std::collections::{BTreeSet, HashMap, VecDeque};

use chrono::{DateTime, Utc};

use super::{
    breaker::{Breaker, May},
    delivery::{Delivery, Key, Released},
    limits::Limits,
};

/// The attempts after which a delivery gives way to others.
pub(super) const EARLY: u32 = 2;
/// Rows that every receiver may have in memory, however many there are in all.
const RESERVED: usize = 100;
/// Beyond so many deliveries in memory, bodies are left to the table.
const BODIES: usize = 2_000;

/// What became of a delivery that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It is done with, one way or the other.
    Over,
    /// It comes again, not before this; the number of attempts so far.
    Again(DateTime<Utc>, u32),
}

#[derive(Debug, Default)]
struct Lane {
    keys: BTreeSet<Key>,
    /// The one that is under way.
    busy: Option<Key>,
}

#[derive(Debug)]
struct Queue {
    is_enabled: bool,
    slots: HashMap<Key, Delivery>,
    lanes: HashMap<String, Lane>,
    /// First in all their lanes and due; those with many attempts last.
    ready: BTreeSet<(bool, Key)>,
    /// First in all their lanes, to be waited for.
    later: BTreeSet<(DateTime<Utc>, Key)>,
    in_flight: usize,
    breaker: Breaker,
    /// Everything up to here was seen.
    seen: Option<Key>,
    /// There is more in the table.
    is_behind: bool,
    in_turn: bool,
}

/// The deliveries of a tenant that are in memory.
#[derive(Debug)]
pub struct Lanes {
    limits: Limits,
    queues: HashMap<i64, Queue>,
    /// Receivers that may have something to go.
    turns: VecDeque<i64>,
    /// When to look at a receiver again.
    timers: BTreeSet<(DateTime<Utc>, i64)>,
    behind: BTreeSet<i64>,
    loaded: usize,
}

impl Lanes {
    /// None yet.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let (queues, turns, timers) = (HashMap::new(), VecDeque::new(), BTreeSet::new());
        Self { limits, queues, turns, timers, behind: BTreeSet::new(), loaded: 0 }
    }

    fn queue(&mut self, receiver: i64) -> &mut Queue {
        self.queues.entry(receiver).or_insert_with(|| Queue {
            is_enabled: true,
            slots: HashMap::new(),
            lanes: HashMap::new(),
            ready: BTreeSet::new(),
            later: BTreeSet::new(),
            in_flight: 0,
            breaker: Breaker::default(),
            seen: None,
            is_behind: false,
            in_turn: false,
        })
    }

    /// Says whether a receiver may be called. Of one that may not, nothing stays in memory.
    pub fn enable(&mut self, receiver: i64, is_enabled: bool) {
        let queue = self.queue(receiver);
        if queue.is_enabled != is_enabled {
            queue.is_enabled = is_enabled;
            if is_enabled {
                queue.breaker = Breaker::default();
            }
            self.reload(receiver);
        }
    }

    /// Forgets a receiver.
    pub fn remove(&mut self, receiver: i64) {
        self.reload(receiver);
        self.behind.remove(&receiver);
        if self.queues.get(&receiver).is_some_and(|queue| queue.in_flight == 0) {
            self.queues.remove(&receiver);
        }
    }

    /// Forgets what is in memory of a receiver, except what is under way: the table is read again from its beginning.
    pub fn reload(&mut self, receiver: i64) {
        let queue = self.queue(receiver);
        let under_way: Vec<Key> = queue.lanes.values().filter_map(|lane| lane.busy).collect();
        let before = queue.slots.len();
        queue.slots.retain(|key, _| under_way.contains(key));
        let gone = before - queue.slots.len();
        for lane in queue.lanes.values_mut() {
            lane.keys.retain(|key| under_way.contains(key));
        }
        queue.lanes.retain(|_, lane| !lane.keys.is_empty());
        (queue.ready, queue.later) = (BTreeSet::new(), BTreeSet::new());
        (queue.seen, queue.is_behind) = (None, true);
        let is_enabled = queue.is_enabled;
        self.loaded -= gone;
        if is_enabled {
            self.behind.insert(receiver);
        } else {
            self.behind.remove(&receiver);
        }
    }

    /// Takes in a new delivery, unless the table has others before it that are not in memory yet.
    pub fn push(&mut self, delivery: Delivery, now: DateTime<Utc>) {
        let (key, limits, loaded) = (delivery.key, self.limits, self.loaded);
        let queue = self.queue(key.receiver);
        if queue.is_behind || queue.seen.is_some_and(|seen| key <= seen) {
            return;
        }
        let is_full = queue.slots.len() >= limits.rows || (loaded >= limits.total && queue.slots.len() >= RESERVED);
        if is_full || !queue.is_enabled {
            queue.is_behind = true;
            if queue.is_enabled {
                self.behind.insert(key.receiver);
            }
            return;
        }
        self.insert(delivery, now);
    }

    /// The receivers that can take more out of the table, at most so many, and after which key each.
    #[must_use]
    pub fn hungry(&self, most: usize) -> Vec<(i64, Option<Key>)> {
        let room = self.loaded < self.limits.total;
        let behind = self.behind.iter().filter_map(|receiver| Some((*receiver, self.queues.get(receiver)?)));
        let hungry = behind.filter(|(_, queue)| {
            let most = if room { self.limits.rows / 2 } else { RESERVED / 2 };
            queue.slots.len() < most
        });
        hungry.take(most).map(|(receiver, queue)| (receiver, queue.seen)).collect()
    }

    /// Takes in a page of the table, in order; `is_last` when nothing comes after it.
    pub fn load(&mut self, receiver: i64, page: Vec<Delivery>, is_last: bool, now: DateTime<Utc>) {
        for delivery in page {
            let queue = self.queue(receiver);
            if queue.slots.contains_key(&delivery.key) {
                queue.seen = queue.seen.max(Some(delivery.key));
            } else {
                self.insert(delivery, now);
            }
        }
        if is_last {
            self.queue(receiver).is_behind = false;
            self.behind.remove(&receiver);
        }
    }

    fn insert(&mut self, mut delivery: Delivery, now: DateTime<Utc>) {
        if self.loaded >= BODIES {
            delivery.body = None;
        }
        let key = delivery.key;
        let queue = self.queue(key.receiver);
        queue.seen = queue.seen.max(Some(key));
        let mut second = Vec::new();
        for name in names(&delivery) {
            let lane = queue.lanes.entry(name.to_owned()).or_default();
            second.extend(lane.keys.first().copied());
            lane.keys.insert(key);
        }
        queue.slots.insert(key, delivery);
        // Only what is replayed comes before others.
        for first in second.into_iter().filter(|first| *first > key) {
            queue.ready.retain(|(_, other)| *other != first);
            queue.later.retain(|(_, other)| *other != first);
        }
        self.loaded += 1;
        self.consider(key, now);
    }

    /// Puts a delivery among those that can go, if it can.
    fn consider(&mut self, key: Key, now: DateTime<Utc>) {
        let Some(queue) = self.queues.get_mut(&key.receiver) else { return };
        let Some(delivery) = queue.slots.get(&key) else { return };
        let is_first = |lane: &Lane| lane.busy.is_none() && lane.keys.first() == Some(&key);
        if !names(delivery).all(|name| queue.lanes.get(name).is_some_and(is_first)) {
            return;
        }
        if delivery.not_before <= now {
            queue.ready.insert((delivery.attempts >= EARLY, key));
            self.call_up(key.receiver);
        } else {
            queue.later.insert((delivery.not_before, key));
            self.timers.insert((delivery.not_before, key.receiver));
        }
    }

    fn call_up(&mut self, receiver: i64) {
        if let Some(queue) = self.queues.get_mut(&receiver)
            && !queue.in_turn
            && !queue.ready.is_empty()
        {
            queue.in_turn = true;
            self.turns.push_back(receiver);
        }
    }

    /// Looks at those whose time has come.
    pub fn wake(&mut self, now: DateTime<Utc>) {
        while let Some((at, receiver)) = self.timers.first().copied()
            && at <= now
        {
            self.timers.pop_first();
            if let Some(queue) = self.queues.get_mut(&receiver) {
                while let Some((at, key)) = queue.later.first().copied()
                    && at <= now
                {
                    queue.later.pop_first();
                    let is_late = queue.slots.get(&key).is_some_and(|delivery| delivery.attempts >= EARLY);
                    queue.ready.insert((is_late, key));
                }
            }
            self.call_up(receiver);
        }
    }

    /// When to [`Lanes::wake`] next.
    #[must_use]
    pub fn next_wake(&self) -> Option<DateTime<Utc>> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// The next delivery to be attempted. Without `may_be_late`, only one that was not tried often yet. It is under way
    /// until [`Lanes::done`].
    pub fn take(&mut self, now: DateTime<Utc>, may_be_late: bool) -> Option<Delivery> {
        for _ in 0..self.turns.len() {
            let receiver = self.turns.pop_front()?;
            let Some(queue) = self.queues.get_mut(&receiver) else { continue };
            queue.in_turn = false;
            let limit = match queue.breaker.may(now) {
                May::Yes => self.limits.in_flight,
                May::Once => 1,
                May::Later(at) => {
                    self.timers.insert((at, receiver));
                    continue;
                }
            };
            // The end of any attempt calls it up again.
            if queue.in_flight >= limit || !queue.is_enabled {
                continue;
            }
            let Some((is_late, key)) = queue.ready.first().copied() else { continue };
            if is_late && !may_be_late {
                self.call_up(receiver);
                continue;
            }
            queue.ready.pop_first();
            queue.in_flight += 1;
            let Some(delivery) = queue.slots.get_mut(&key) else { continue };
            let taken = delivery.clone();
            delivery.body = None;
            for name in names(&taken) {
                if let Some(lane) = queue.lanes.get_mut(name) {
                    lane.busy = Some(key);
                }
            }
            self.call_up(receiver);
            return Some(taken);
        }
        None
    }

    /// Whether something waits for its turn.
    #[must_use]
    pub fn has_turns(&self) -> bool {
        !self.turns.is_empty()
    }

    /// Ends an attempt. `is_success` tells the breaker, unless there was no attempt at all.
    pub fn done(&mut self, key: Key, end: End, is_success: Option<bool>, now: DateTime<Utc>) {
        let pause = self.limits.pause;
        let Some(queue) = self.queues.get_mut(&key.receiver) else { return };
        queue.in_flight = queue.in_flight.saturating_sub(1);
        if let Some(is_success) = is_success {
            queue.breaker.tell(now, is_success, pause);
        }
        let mut firsts = BTreeSet::new();
        if let Some(delivery) = queue.slots.get_mut(&key) {
            let lanes: Vec<String> = names(delivery).map(str::to_owned).collect();
            let is_over = match end {
                End::Again(not_before, attempts) => {
                    (delivery.not_before, delivery.attempts) = (not_before, attempts);
                    false
                }
                End::Over => {
                    queue.slots.remove(&key);
                    self.loaded -= 1;
                    true
                }
            };
            for name in lanes {
                let Some(lane) = queue.lanes.get_mut(&name) else { continue };
                lane.busy = None;
                if is_over {
                    lane.keys.remove(&key);
                }
                firsts.extend(lane.keys.first().copied());
                if lane.keys.is_empty() {
                    queue.lanes.remove(&name);
                }
            }
        }
        for first in firsts {
            self.consider(first, now);
        }
        self.call_up(key.receiver);
    }

    /// Drops the bytes of what is about a chat, so that they are read anew.
    pub fn forget(&mut self, wa_id: &str) {
        for delivery in self.queues.values_mut().flat_map(|queue| queue.slots.values_mut()) {
            if delivery.wa_ids.iter().any(|about| about == wa_id) {
                delivery.body = None;
            }
        }
    }

    /// Takes in the body of a delivery that waited for it.
    pub fn release(&mut self, released: Released, now: DateTime<Utc>) {
        self.change(released.key, now, |delivery| {
            delivery.body_id = Some(released.body_id);
            delivery.body = Some(released.body);
            delivery.not_before = now;
        });
    }

    /// What the table says of a delivery that somebody may have changed; `false` when it is not in memory though
    /// everything before it is.
    pub fn compare(&mut self, key: Key, not_before: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        let Some(queue) = self.queues.get(&key.receiver) else { return false };
        match queue.slots.get(&key) {
            None => !queue.is_enabled || queue.is_behind && queue.seen.is_none_or(|seen| seen < key),
            Some(delivery) => {
                if delivery.not_before > not_before {
                    self.change(key, now, |delivery| delivery.not_before = not_before);
                }
                true
            }
        }
    }

    fn change(&mut self, key: Key, now: DateTime<Utc>, change: impl FnOnce(&mut Delivery)) {
        let Some(queue) = self.queues.get_mut(&key.receiver) else { return };
        let Some(delivery) = queue.slots.get_mut(&key) else { return };
        let before = (delivery.not_before, key);
        change(delivery);
        if queue.later.remove(&before) {
            self.consider(key, now);
        }
    }
}

/// The lanes of a delivery.
fn names(delivery: &Delivery) -> impl Iterator<Item = &str> {
    let none = delivery.wa_ids.is_empty().then_some("");
    delivery.wa_ids.iter().map(String::as_str).chain(none)
}

#[cfg(test)]
#[path = "lanes_tests.rs"]
mod tests;
