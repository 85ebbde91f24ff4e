//! Pages of a ledger, bounded in events and in bytes: four of them are in memory at a time.

use std::sync::Arc;

use chatledger_application::ports::ledger::{Ledger, LedgerError, Recorded};
use chatledger_domain::{Position, TenantId};

use super::pace::Turns;

/// Events in a page. The larger, the more statuses find their message in the same page, and are not looked up.
const PAGE: i64 = 40_960;
/// Events in a page at a gentle pace: what is written at once is little enough to hold nobody up.
const GENTLE_PAGE: i64 = 8_192;
/// Bytes of payload in a page, as far as they are known before it is read.
const HEAVY: usize = 16 << 20;
/// A page is read in parts of at most so many events, so that heavy ones are noticed in time.
pub(super) const PART: i64 = 4_096;
/// A page is at least so many events, however heavy: what is written one by one is slow.
const FEWEST: i64 = 256;
/// What the first events are taken to weigh.
const UNKNOWN: usize = 8 << 10;
/// One event of so many is weighed.
const SAMPLE: usize = 7;

/// Reads a ledger page by page.
pub(super) struct Reader {
    ledger: Arc<dyn Ledger>,
    tenant: TenantId,
    turns: Arc<Turns>,
    target: i64,
    /// What an event of the last part weighed.
    each: usize,
}

impl Reader {
    pub(super) fn new(ledger: Arc<dyn Ledger>, tenant: TenantId, turns: Arc<Turns>, target: i64) -> Self {
        Self { ledger, tenant, turns, target, each: UNKNOWN }
    }

    /// What comes after a position, at most up to the target.
    pub(super) async fn page(&mut self, after: i64) -> Result<Vec<Recorded>, LedgerError> {
        let turns = self.turns.clone();
        let _turn = turns.take().await;
        let page = if turns.gentle() { GENTLE_PAGE } else { PAGE };
        let end = self.target.min(after.saturating_add(page));
        let (mut events, mut bytes, mut position): (Vec<Recorded>, usize, i64) = (Vec::new(), 0, after);
        loop {
            let limit = next_part(end - position, bytes, self.each);
            if limit <= 0 {
                return Ok(events);
            }
            let part = self.ledger.read(self.tenant, Position(position), limit).await?;
            let Some(last) = part.last() else { return Ok(events) };
            position = last.position.0;
            self.each = weight_of_one(&part);
            bytes += self.each * part.len();
            events.extend(part);
        }
    }
}

/// How many events are read next for a page that lacks at most `left` events and holds `bytes`, where one event weighs
/// about `each`; none where the page is as good as full.
fn next_part(left: i64, bytes: usize, each: usize) -> i64 {
    let room = i64::try_from(HEAVY.saturating_sub(bytes) / each.max(1)).unwrap_or(i64::MAX);
    if bytes > 0 && room < FEWEST { 0 } else { room.clamp(FEWEST, PART).min(left) }
}

/// What an event of a part weighs on average, by some of them.
fn weight_of_one(part: &[Recorded]) -> usize {
    let weights = part.iter().step_by(SAMPLE).map(|event| event.event.payload().map_or(UNKNOWN, |text| text.len()));
    let (events, bytes) = weights.fold((0, 0), |(events, bytes), weight| (events + 1, bytes + weight));
    bytes / events.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page of events that weigh the same, when the part before was taken to weigh `each`: parts, events and bytes.
    fn page(each: usize, weight: usize) -> (usize, i64, usize) {
        let (mut each, mut parts, mut events, mut bytes) = (each, 0, 0, 0);
        loop {
            let part = next_part(PAGE - events, bytes, each);
            if part == 0 {
                return (parts, events, bytes);
            }
            (each, parts, events) = (weight, parts + 1, events + part);
            bytes += weight * usize::try_from(part).expect("a count");
        }
    }

    #[test]
    fn a_page_of_light_events_is_full_by_their_number() {
        assert_eq!(page(300, 300), (10, PAGE, 300 * 40_960));
        assert_eq!(page(UNKNOWN, 0).1, PAGE);
    }

    #[test]
    fn a_page_of_heavy_events_is_full_by_their_bytes() {
        for weight in [500, 2 << 10, 8 << 10, 40 << 10] {
            let (_, events, bytes) = page(weight, weight);
            assert!(bytes <= HEAVY && bytes > HEAVY * 9 / 10, "{events} events of {weight} bytes");
        }
        // Very heavy ones still come by the hundred.
        assert_eq!(page(1 << 20, 1 << 20), (1, FEWEST, 256 << 20));
    }

    #[test]
    fn events_that_become_heavy_all_at_once_are_noticed_within_a_part() {
        assert_eq!(page(300, 8 << 10), (1, PART, 32 << 20));
    }

    #[test]
    fn nothing_is_read_beyond_the_end() {
        assert_eq!((next_part(10, 0, 300), next_part(0, 0, 300), next_part(-5, 0, 300)), (10, 0, -5));
    }
}
