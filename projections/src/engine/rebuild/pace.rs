//! How much of the machine a rebuild takes: all that it can use, or, while others write to the ledger, one core.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError, RwLock},
    time::{Duration, Instant},
};

use chatledger_application::ports::ledger::Ledger;
use chatledger_domain::{Position, TenantId};
use tokio::sync::{Semaphore, SemaphorePermit};

/// So often the ledger is looked at. Until it was looked at twice, others may be writing.
const LOOK: Duration = Duration::from_millis(400);
/// Who has written this long ago may write again.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest rest after a turn.
const LONGEST_REST: Duration = Duration::from_millis(500);

/// How much of the machine a rebuild may take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// One core while others write to the ledger, else all that it can use.
    #[default]
    Auto,
    /// All that it can use.
    Full,
    /// One core.
    Gentle,
}

/// Whose turn it is to work. At a gentle pace reading, writing, folding and making indexes take turns: servers on the
/// same machine keep the other cores, and the disk is written to by one hand.
pub(super) struct Turns {
    pace: Pace,
    one: Semaphore,
    gentle_until: RwLock<Instant>,
    /// Nobody works before.
    rest: Mutex<Instant>,
}

/// A turn.
pub(super) struct Turn<'a> {
    turns: &'a Turns,
    since: Instant,
    _permit: SemaphorePermit<'a>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let rest = (self.since.elapsed() / 2).min(LONGEST_REST);
        *self.turns.rest.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now() + rest;
    }
}

impl Turns {
    pub(super) fn new(pace: Pace) -> Self {
        Self {
            pace,
            one: Semaphore::new(1),
            gentle_until: RwLock::new(Instant::now() + 2 * LOOK),
            rest: Mutex::new(Instant::now()),
        }
    }

    /// Whether the pace is gentle now.
    pub(super) fn gentle(&self) -> bool {
        match self.pace {
            Pace::Full => false,
            Pace::Gentle => true,
            Pace::Auto => Instant::now() < *self.gentle_until.read().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Waits for a turn; it ends when what is returned is dropped. Between two there is a rest, half as long as the first.
    pub(super) async fn take(&self) -> Option<Turn<'_>> {
        if !self.gentle() {
            return None;
        }
        let permit = self.one.acquire().await.ok()?;
        let rest = *self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        tokio::time::sleep_until(rest.into()).await;
        Some(Turn { turns: self, since: Instant::now(), _permit: permit })
    }

    /// Looks, until it is stopped, whether others write to the ledger.
    pub(super) async fn watch(&self, ledger: &dyn Ledger) {
        if self.pace != Pace::Auto {
            return;
        }
        let mut before: Option<HashMap<TenantId, Position>> = None;
        loop {
            // A ledger that cannot be read stops those who need it; here it is as if nothing had changed.
            if let Ok(heads) = ledger.heads().await {
                let heads: HashMap<_, _> = heads.into_iter().collect();
                if before.as_ref().is_some_and(|before| *before != heads) {
                    *self.gentle_until.write().unwrap_or_else(PoisonError::into_inner) = Instant::now() + PATIENCE;
                }
                before = Some(heads);
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn at_a_gentle_pace_there_is_one_turn_at_a_time_and_a_rest_between_two() {
        let turns = Turns::new(Pace::Gentle);
        let first = turns.take().await.expect("a turn");
        let soon = Duration::from_millis(1);
        assert!(tokio::time::timeout(soon, turns.take()).await.is_err(), "somebody works");
        std::thread::sleep(Duration::from_millis(40));
        drop(first);
        assert!(tokio::time::timeout(soon, turns.take()).await.is_err(), "everybody rests");
        assert!(turns.take().await.is_some());
    }

    #[tokio::test]
    async fn at_full_pace_nobody_waits_for_a_turn() {
        let turns = Turns::new(Pace::Full);
        assert!(turns.take().await.is_none() && turns.take().await.is_none());
        assert!(Turns::new(Pace::Auto).gentle(), "until it is known that nobody else writes");
    }
}
