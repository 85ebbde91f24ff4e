//! What shows that one event is in a ledger: `ledger prove`.

use chatledger_domain::{Position, TenantId};
use sqlx::PgPool;

use super::{
    ShownEvent,
    hash::{GENESIS, Hash},
    show,
    verify::{Broken, Mark, marks},
};
use crate::proof::{Digest, ProvedEvent, tree::Path};

/// An event, and what leads from it to the root.
pub struct Proved {
    /// The event.
    pub event: ProvedEvent,
    /// The hashes beside its way up.
    pub path: Vec<[u8; 32]>,
    /// What the ledger comes to, the event included.
    pub mark: Mark,
}

/// Why nothing can be shown.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// The event is none of these.
    #[error("there is no event at position {0} among the first {1}")]
    NoEvent(Position, Position),
    /// The ledger is not as it was written.
    #[error("the ledger is broken at {0}")]
    Broken(#[from] Broken),
    /// The database cannot be reached.
    #[error("the ledger is unavailable")]
    Unavailable(#[from] sqlx::Error),
}

/// Checks the ledger up to `size` and leads from the event at a position to the root over all of that. `progress` hears
/// how many of how many events are done.
///
/// # Errors
/// When the ledger is not in order, or the event is not in that part of it.
pub async fn prove(
    pool: &PgPool,
    tenant: TenantId,
    position: Position,
    size: Position,
    progress: impl FnMut(i64, i64),
) -> Result<Proved, ProveError> {
    let (Ok(index), Ok(leaves), true) =
        (u64::try_from(position.0.saturating_sub(1)), u64::try_from(size.0), (1..=size.0).contains(&position.0))
    else {
        return Err(ProveError::NoEvent(position, size));
    };
    let (mut path, mut previous) = (Path::new(index, leaves), GENESIS);
    let each = |at: Position, hash: &Hash| {
        path.push(hash);
        if at.0 == position.0 - 1 {
            previous = *hash;
        }
    };
    let marks = marks(pool, tenant, &[size], each, progress).await?;
    if let Some(broken) = marks.broken {
        return Err(broken.into());
    }
    let shown = show(pool, tenant, None, position, 1).await?;
    match (marks.at(size), shown.into_iter().next().and_then(|shown| proved(shown, position, previous))) {
        (Some(mark), Some(event)) => Ok(Proved { event, path: path.hashes(), mark: *mark }),
        _ => Err(ProveError::NoEvent(position, size)),
    }
}

/// The event as it is shown; `None` when it is not the one at this position.
fn proved(shown: ShownEvent, position: Position, previous: Hash) -> Option<ProvedEvent> {
    let digest = |text: String| Digest::try_from(text).ok();
    (shown.position.parse() == Ok(position.0)).then_some(())?;
    Some(ProvedEvent {
        position,
        aggregate_type: shown.aggregate_type,
        aggregate_id: shown.aggregate_id,
        sequence: shown.sequence.parse().ok()?,
        event_type: shown.event_type,
        event_version: shown.event_version,
        occurred_at: shown.occurred_at,
        recorded_at: shown.recorded_at,
        payload: shown.erased_at.is_none().then_some(shown.payload),
        payload_hash: digest(shown.payload_hash)?,
        metadata: shown.metadata,
        previous_hash: Digest(previous),
        hash: digest(shown.hash)?,
    })
}
