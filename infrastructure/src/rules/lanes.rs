//! In which order triggers are decided on: one after the other where they are about the same chat, side by side where
//! not. Knows up to where everything is finished.

use std::collections::{BTreeMap, HashMap, VecDeque};

use chatledger_application::rule_engine::Trigger;
use chatledger_domain::Position;

/// The triggers of one tenant that are not finished.
pub(super) struct Lanes {
    numbers: u64,
    unfinished: BTreeMap<u64, Unfinished>,
    chats: HashMap<String, VecDeque<u64>>,
    ready: VecDeque<(u64, Trigger)>,
    upto: Position,
}

struct Unfinished {
    after: Position,
    chats: Vec<String>,
    /// While it waits for earlier ones.
    waiting: Option<Trigger>,
}

impl Lanes {
    /// Everything up to a position is finished.
    pub(super) fn new(upto: Position) -> Self {
        let (unfinished, chats, ready) = (BTreeMap::new(), HashMap::new(), VecDeque::new());
        Self { numbers: 0, unfinished, chats, ready, upto }
    }

    /// The triggers up to a position, in order.
    pub(super) fn add(&mut self, triggers: Vec<Trigger>, upto: Position) {
        for trigger in triggers {
            self.numbers += 1;
            let chats: Vec<String> = trigger.chats.iter().map(|chat| chat.wa_id.clone()).collect();
            for chat in &chats {
                self.chats.entry(chat.clone()).or_default().push_back(self.numbers);
            }
            let unfinished = Unfinished { after: trigger.after, chats, waiting: Some(trigger) };
            self.unfinished.insert(self.numbers, unfinished);
            self.look_at(self.numbers);
        }
        self.upto = upto;
    }

    /// One whose turn it is, with its number.
    pub(super) fn next(&mut self) -> Option<(u64, Trigger)> {
        self.ready.pop_front()
    }

    /// One is finished.
    pub(super) fn done(&mut self, number: u64) {
        let Some(finished) = self.unfinished.remove(&number) else { return };
        for chat in finished.chats {
            let Some(lane) = self.chats.get_mut(&chat) else { continue };
            lane.pop_front();
            match lane.front().copied() {
                Some(next) => self.look_at(next),
                None => drop(self.chats.remove(&chat)),
            }
        }
    }

    /// How many are not finished.
    pub(super) fn len(&self) -> usize {
        self.unfinished.len()
    }

    /// Whoever reads from here on misses nothing that is not finished.
    pub(super) fn finished(&self) -> Position {
        self.unfinished.first_key_value().map_or(self.upto, |(_, first)| first.after)
    }

    fn look_at(&mut self, number: u64) {
        let Some(unfinished) = self.unfinished.get_mut(&number) else { return };
        let is_first = |chat: &String| self.chats.get(chat).and_then(VecDeque::front) == Some(&number);
        if unfinished.chats.iter().all(is_first)
            && let Some(trigger) = unfinished.waiting.take()
        {
            self.ready.push_back((number, trigger));
        }
    }
}
