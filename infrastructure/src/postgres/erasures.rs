//! Whether every erased event of a ledger was erased by what the ledger records: `ledger verify` would otherwise let
//! somebody blank an event and call it erased.
//!
//! An erasure blanks its events with the moment at which its `ContactErased` occurred, and that says how many there
//! were. An event that is blanked again later leaves the first erasure with one less, never with one more.

use std::collections::BTreeMap;

use chatledger_domain::{AnyEvent, TenantId};
use serde::Deserialize;
use sqlx::PgPool;

use super::verify::{VerifyError, broken};

/// What is wrong with an erased event that no recorded erasure covers.
pub(super) const UNCOVERED: &str = "erased, but by no erasure that the ledger records";
/// What is wrong with one that says something.
pub(super) const SPEAKS: &str = "erased, but it says something of a customer";
/// The event that records an erasure.
const RECORD: &str = "ContactErased";

/// Of that event, what counts here.
#[derive(Deserialize)]
struct Record {
    events: i64,
}

/// Of any event, what counts here.
pub(super) struct Seen<'a> {
    pub(super) position: i64,
    pub(super) event_type: &'a str,
    pub(super) occurred_at: i64,
    pub(super) erased_at: Option<i64>,
    pub(super) payload: &'a [u8],
}

/// Whether an event that is said to be erased says nothing; of one that this program cannot read nobody can tell.
pub(super) fn is_blank(aggregate_type: &str, event_type: &str, event_version: &str, payload: &str) -> bool {
    AnyEvent::read(aggregate_type, event_type, event_version, payload).map_or(true, |event| event.is_blank())
}

/// Events that were erased at one moment.
#[derive(Clone, Copy)]
struct Blanked {
    first: i64,
    count: i64,
}

/// What was erased, and what was recorded of it, by the moment in microseconds.
#[derive(Default)]
pub(super) struct Erasures {
    blanked: BTreeMap<i64, Blanked>,
    recorded: BTreeMap<i64, i64>,
}

impl Erasures {
    /// Takes an event in; times in microseconds.
    pub(super) fn see(&mut self, event: &Seen<'_>) {
        if let Some(at) = event.erased_at {
            self.blank(at, Blanked { first: event.position, count: 1 });
        }
        if event.event_type == RECORD {
            let record = serde_json::from_slice::<Record>(event.payload);
            self.record(event.occurred_at, record.map_or(0, |record| record.events));
        }
    }

    /// Takes in what comes behind.
    pub(super) fn merge(&mut self, other: &Self) {
        other.blanked.iter().for_each(|(at, blanked)| self.blank(*at, *blanked));
        other.recorded.iter().for_each(|(at, events)| self.record(*at, *events));
    }

    fn blank(&mut self, at: i64, more: Blanked) {
        self.blanked.entry(at).or_insert(Blanked { count: 0, ..more }).count += more.count;
    }

    fn record(&mut self, at: i64, events: i64) {
        *self.recorded.entry(at).or_default() += events;
    }

    /// How many events are erased, all of them by recorded erasures. What was erased while the ledger was read is
    /// recorded behind the head that was read to.
    ///
    /// # Errors
    /// The first event that none covers.
    pub(super) async fn check(mut self, pool: &PgPool, tenant: TenantId, head: i64) -> Result<i64, VerifyError> {
        if self.uncovered().is_some() {
            let since: Vec<(i64, String)> = sqlx::query_as(
                "SELECT (extract(epoch FROM e.occurred_at) * 1000000)::bigint, e.payload::text FROM ledger.events e \
                 WHERE e.tenant_id = $1 AND e.position > $2 AND e.event_type = $3",
            )
            .bind(tenant.0)
            .bind(head)
            .bind(RECORD)
            .fetch_all(pool)
            .await?;
            for (at, payload) in since {
                self.record(at, serde_json::from_str::<Record>(&payload).map_or(0, |record| record.events));
            }
        }
        match self.uncovered() {
            Some(position) => Err(broken(position, UNCOVERED)),
            None => Ok(self.blanked.values().map(|blanked| blanked.count).sum()),
        }
    }

    /// The first erased event that no recorded erasure covers.
    pub(super) fn uncovered(&self) -> Option<i64> {
        let more =
            |(at, blanked): &(&i64, &Blanked)| blanked.count > self.recorded.get(*at).copied().unwrap_or_default();
        self.blanked.iter().filter(more).map(|(_, blanked)| blanked.first).min()
    }
}
