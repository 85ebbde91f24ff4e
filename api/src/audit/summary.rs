//! How much there is in a history, counted while it is written.

use std::collections::BTreeMap;

use chatledger_application::audit::Entry;
use chrono::{DateTime, Utc};

/// What was counted.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// How many events.
    pub entries: u64,
    /// Position of the first, and when it was recorded.
    pub first: Option<(i64, DateTime<Utc>)>,
    /// The same of the last.
    pub last: Option<(i64, DateTime<Utc>)>,
    /// How many of each stored name.
    pub kinds: BTreeMap<String, u64>,
    /// How many by each, as they were called at the time.
    pub people: BTreeMap<String, u64>,
    /// How many have lost their content.
    pub erased: u64,
}

impl Summary {
    /// Counts an event.
    pub fn add(&mut self, entry: &Entry) {
        let place = (entry.stored.position.0, entry.stored.recorded_at);
        self.entries += 1;
        self.first.get_or_insert(place);
        self.last = Some(place);
        *self.kinds.entry(entry.stored.event_type.clone()).or_default() += 1;
        *self.people.entry(entry.who.to_string()).or_default() += 1;
        self.erased += u64::from(entry.stored.erased_at.is_some());
    }

    /// The most frequent first, at most `most`, and how many others there are.
    #[must_use]
    pub fn leading(of: &BTreeMap<String, u64>, most: usize) -> String {
        let mut all: Vec<_> = of.iter().collect();
        all.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let mut parts: Vec<String> = all.iter().take(most).map(|(name, count)| format!("{name} {count}")).collect();
        if all.len() > most {
            parts.push(format!("and {} more", all.len() - most));
        }
        parts.join(", ")
    }
}
