//! Reads one tenant's ledger as pushes.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use chatledger_domain::{
    AnyEvent, Assignment, Position, TenantId,
    chat::{ChatAssigned, ChatEvent},
};

use super::{
    group::{is_one_append, pushes_of},
    push::Push,
};
use crate::ports::{
    Unavailable,
    ledger::{Ledger, LedgerError, Recorded},
    read_models::ReadModels,
};

/// Events read at once; more where a single call of WhatsApp is longer.
const PAGE: i64 = 1_000;
/// How long the read models may need.
const READ_MODELS: Duration = Duration::from_secs(10);
/// Chats whose holders are remembered.
const REMEMBERED: usize = 50_000;

/// Pushes, and how far the ledger was read for them.
#[derive(Debug)]
pub struct PushPage {
    /// In order; the read models know all of it.
    pub pushes: Vec<Push>,
    /// All that was read, in order: what came of messages that were told or wait to be, whose access changed …
    pub events: Vec<Recorded>,
    /// Everything up to here is in this page or an earlier one.
    pub upto: Position,
    /// Whether the end of the ledger was reached.
    pub is_last: bool,
}

/// Why nothing could be read now.
#[derive(Debug, thiserror::Error)]
pub enum PushFault {
    /// The ledger's fault.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The read models' fault.
    #[error(transparent)]
    ReadModels(#[from] Unavailable),
    /// The read models are behind.
    #[error("the read models have not reached position {0}")]
    Behind(Position),
}

/// Stands at a position of one tenant's ledger and reads on.
pub struct PushReader {
    tenant: TenantId,
    seen: Position,
    ledger: Arc<dyn Ledger>,
    read_models: Arc<dyn ReadModels>,
    /// Who has a chat after `seen`.
    holders: HashMap<String, Assignment>,
}

impl PushReader {
    /// Reads what comes after `from`.
    #[must_use]
    pub fn new(tenant: TenantId, from: Position, ledger: Arc<dyn Ledger>, read_models: Arc<dyn ReadModels>) -> Self {
        Self { tenant, seen: from, ledger, read_models, holders: HashMap::new() }
    }

    /// Where it stands.
    #[must_use]
    pub fn seen(&self) -> Position {
        self.seen
    }

    /// The next pushes, once the read models know them; an empty page at the end of the ledger. `told` may hold events
    /// that the caller knows already (from [`Ledger::feed`]): where they go on without a hole, nothing is read back.
    ///
    /// # Errors
    /// After a fault the reader stands where it stood.
    pub async fn next(&mut self, told: Vec<Recorded>) -> Result<PushPage, PushFault> {
        let (events, is_last) = self.events(told).await?;
        let Some(last) = events.last().map(|event| event.position) else {
            return Ok(PushPage { pushes: Vec::new(), events, upto: self.seen, is_last });
        };
        if !self.read_models.wait_for(self.tenant, last, READ_MODELS).await {
            return Err(PushFault::Behind(last));
        }
        let mut pushes = pushes_of(&events);
        self.remember(&pushes).await?;
        self.fill_in(&events, &mut pushes);
        self.seen = last;
        Ok(PushPage { pushes, events, upto: last, is_last })
    }

    /// The events after `seen`, never half of an append.
    async fn events(&self, told: Vec<Recorded>) -> Result<(Vec<Recorded>, bool), PushFault> {
        let known: Vec<Recorded> = told.into_iter().skip_while(|event| event.position <= self.seen).collect();
        let goes_on = known.iter().zip(self.seen.0 + 1..).all(|(event, expected)| event.position.0 == expected);
        if goes_on && !known.is_empty() {
            // An append is told whole.
            return Ok((known, true));
        }
        let mut limit = PAGE;
        loop {
            let mut events = self.ledger.read(self.tenant, self.seen, limit).await?;
            if events.len() < usize::try_from(limit).unwrap_or(usize::MAX) {
                return Ok((events, true));
            }
            // The last append may go on after the page.
            let whole = events.chunk_by(is_one_append).last().map_or(0, |run| events.len() - run.len());
            if whole > 0 {
                events.truncate(whole);
                return Ok((events, false));
            }
            limit *= 4;
        }
    }

    /// Looks up who has the chats that are not remembered.
    async fn remember(&mut self, pushes: &[Push]) -> Result<(), PushFault> {
        if self.holders.len() > REMEMBERED {
            self.holders.clear();
        }
        let named = pushes.iter().flat_map(|push| &push.chats).map(|chat| chat.wa_id.as_str());
        let unknown: HashSet<&str> = named.filter(|wa_id| !self.holders.contains_key(*wa_id)).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let unknown: Vec<&str> = unknown.into_iter().collect();
        let mut found = self.read_models.assignments_at(self.tenant, &unknown, self.seen).await?;
        for wa_id in unknown {
            let holder = found.remove(wa_id).unwrap_or_default();
            self.holders.insert(wa_id.to_owned(), holder);
        }
        Ok(())
    }

    /// Says of each push who had its chats, and remembers who has them from now on.
    fn fill_in(&mut self, events: &[Recorded], pushes: &mut [Push]) {
        let mut changes = events.iter().filter_map(assignment).peekable();
        for push in pushes {
            while let Some((_, wa_id, change)) = changes.next_if(|(position, ..)| *position < push.position) {
                self.change(wa_id, change);
            }
            for chat in &mut push.chats {
                chat.before = self.holders.get(&chat.wa_id).copied().unwrap_or_default();
                chat.after = chat.before;
                if let Some((position, wa_id, change)) = changes.peek()
                    && *position == push.position
                    && *wa_id == chat.wa_id
                {
                    chat.after = change.applied_to(chat.before);
                }
            }
        }
        for (_, wa_id, change) in changes {
            self.change(wa_id, change);
        }
    }

    fn change(&mut self, wa_id: &str, change: &ChatAssigned) {
        // A chat that is not remembered is looked up as of where the reader stands by then.
        if let Some(holder) = self.holders.get_mut(wa_id) {
            *holder = change.applied_to(*holder);
        }
    }
}

fn assignment(recorded: &Recorded) -> Option<(Position, &str, &ChatAssigned)> {
    match &recorded.event {
        AnyEvent::Chat(ChatEvent::ChatAssigned(change)) => {
            Some((recorded.position, recorded.stream.aggregate_id.as_str(), change))
        }
        _ => None,
    }
}
