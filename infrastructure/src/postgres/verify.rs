//! Proof that a ledger is as it was written: `ledger verify`, and what checkpoints and proofs are made from.
//!
//! The ledger is read in blocks, several at a time, each on a connection of its own. A block checks every event against
//! the stored hash before it, so blocks need not wait for each other; where two meet, the hashes must be the same. What
//! they found is taken in order, so the first fault that is named is the first there is.

use std::sync::{Mutex, PoisonError};

use chatledger_domain::{Position, TenantId};
use chrono::DateTime;
use futures_util::{StreamExt, TryStreamExt, stream};
use sqlx::{PgConnection, PgPool};
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use super::{
    erasures::{Erasures, SPEAKS, Seen, is_blank},
    hash::{GENESIS, Hash, Link, of_bytes},
    raw::{self, RawRow},
};
use crate::proof::tree::Tree;

/// Events of a block.
const BLOCK: i64 = 16_384;

/// A ledger that is as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// How many events it has.
    pub events: i64,
    /// How many of them are erased: their payload is gone, its hash stands, and a recorded erasure covers them.
    pub erased: i64,
    /// The hash of its newest event, which stands for all of them.
    pub head_hash: [u8; 32],
    /// The root of the tree over all of them.
    pub root: [u8; 32],
}

impl Verified {
    /// What the whole ledger comes to.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark { position: Position(self.events), hash: self.head_hash, root: self.root }
    }
}

/// What a ledger comes to up to a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The position; 0 stands before the first event.
    pub position: Position,
    /// The hash of the event there.
    pub hash: [u8; 32],
    /// The root of the tree over all events up to it.
    pub root: [u8; 32],
}

/// The first place where a ledger is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("position {position}: {what}")]
pub struct Broken {
    /// The place.
    pub position: Position,
    /// What is wrong there.
    pub what: &'static str,
}

/// Why a ledger was not found in order.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It is not.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// The database cannot be reached.
    #[error("the ledger is unavailable")]
    Unavailable(#[from] sqlx::Error),
}

/// The tenants that have a ledger, by their events or by a recorded head, with the newest position that either says.
/// A head that somebody removed hides no ledger.
///
/// # Errors
/// When the database cannot be reached.
pub async fn ledgers(pool: &PgPool) -> Result<Vec<(TenantId, Position)>, sqlx::Error> {
    // From tenant to tenant along the index, not through all events.
    let rows: Vec<(Uuid, i64)> = sqlx::query_as(
        "WITH RECURSIVE t (tenant_id) AS ( \
             (SELECT e.tenant_id FROM ledger.events e ORDER BY e.tenant_id LIMIT 1) \
             UNION ALL \
             SELECT (SELECT e.tenant_id FROM ledger.events e WHERE e.tenant_id > t.tenant_id \
                 ORDER BY e.tenant_id LIMIT 1) FROM t WHERE t.tenant_id IS NOT NULL \
         ) \
         SELECT tenant_id, greatest( \
             coalesce((SELECT h.head_position FROM ledger.heads h WHERE h.tenant_id = a.tenant_id), 0), \
             coalesce((SELECT e.position FROM ledger.events e WHERE e.tenant_id = a.tenant_id \
                 ORDER BY e.position DESC LIMIT 1), 0)) \
         FROM (SELECT tenant_id FROM t WHERE tenant_id IS NOT NULL UNION SELECT tenant_id FROM ledger.heads) a \
         ORDER BY tenant_id",
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|(tenant, head)| (TenantId(tenant), Position(head))).collect())
}

/// Walks a tenant's ledger, up to the head it has now, and names the first event that was altered, removed or moved,
/// or the recorded head where that is not the one of the events. `progress` hears how many of how many are done.
///
/// # Errors
/// [`Broken`] where the ledger is not as it was written.
pub async fn verify(
    pool: &PgPool,
    tenant: TenantId,
    mut progress: impl FnMut(i64, i64),
) -> Result<Verified, VerifyError> {
    let recorded: Option<(i64, Vec<u8>)> =
        sqlx::query_as("SELECT head_position, head_hash FROM ledger.heads WHERE tenant_id = $1")
            .bind(tenant.0)
            .fetch_optional(pool)
            .await?;
    let (head, head_hash) = recorded.unwrap_or((0, GENESIS.to_vec()));
    let (mut tree, mut hash, mut erasures) = (Tree::default(), GENESIS, Erasures::default());
    walk(pool, tenant, head, |block| {
        block.hashes.iter().for_each(|hash| tree.push(hash));
        hash = block.last();
        erasures.merge(&block.erasures);
        progress(block.end(), head);
    })
    .await?;
    if hash[..] != head_hash[..] {
        return Err(broken(head, "the recorded head has another hash"));
    }
    let erased = erasures.check(pool, tenant, head).await?;
    // In one statement, so that an append between two would not look like a forgery.
    let beyond: Option<(i64, bool)> = sqlx::query_as(
        "SELECT e.position, h.tenant_id IS NULL FROM ledger.events e \
         LEFT JOIN ledger.heads h ON h.tenant_id = e.tenant_id \
         WHERE e.tenant_id = $1 AND e.position > coalesce(h.head_position, 0) ORDER BY e.position LIMIT 1",
    )
    .bind(tenant.0)
    .fetch_optional(pool)
    .await?;
    match beyond {
        Some((position, true)) => Err(broken(position, "there are events and no recorded head")),
        Some((position, false)) => Err(broken(position, "beyond the recorded head")),
        None => Ok(Verified { events: head, erased, head_hash: hash, root: tree.root() }),
    }
}

/// What a ledger comes to at the positions that were asked for.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    /// Up to where it is in order, by position.
    pub found: Vec<Mark>,
    /// Why the others are missing.
    pub broken: Option<Broken>,
}

impl Marks {
    /// The mark at a position.
    #[must_use]
    pub fn at(&self, position: Position) -> Option<&Mark> {
        self.found.iter().find(|mark| mark.position == position)
    }
}

/// What the ledger comes to at these positions, whatever its recorded head says: all events up to the last of them are
/// checked. `each` sees the hash of every event, in order; `progress` hears how many of how many are done.
///
/// # Errors
/// When the database cannot be reached; a ledger that is not in order is an answer.
pub async fn marks(
    pool: &PgPool,
    tenant: TenantId,
    positions: &[Position],
    mut each: impl FnMut(Position, &[u8; 32]),
    mut progress: impl FnMut(i64, i64),
) -> Result<Marks, sqlx::Error> {
    let last = positions.iter().map(|position| position.0).max().unwrap_or(0);
    let mut tree = Tree::default();
    let mut marks = Marks::default();
    if positions.contains(&Position(0)) {
        marks.found.push(Mark { position: Position(0), hash: GENESIS, root: tree.root() });
    }
    let walked = walk(pool, tenant, last, |block| {
        for (position, hash) in (block.first..).map(Position).zip(&block.hashes) {
            tree.push(hash);
            each(position, hash);
            if positions.contains(&position) {
                marks.found.push(Mark { position, hash: *hash, root: tree.root() });
            }
        }
        progress(block.end(), last);
    });
    match walked.await {
        Ok(()) => Ok(marks),
        Err(VerifyError::Broken(broken)) => Ok(Marks { broken: Some(broken), ..marks }),
        Err(VerifyError::Unavailable(error)) => Err(error),
    }
}

/// Events that follow each other, checked.
struct Block {
    /// The position of the first.
    first: i64,
    /// The stored hash of the event before the first.
    previous: Hash,
    hashes: Vec<Hash>,
    erasures: Erasures,
}

impl Block {
    /// The position of the last.
    fn end(&self) -> i64 {
        self.first - 1 + self.hashes.len() as i64
    }

    fn last(&self) -> Hash {
        self.hashes.last().copied().unwrap_or(self.previous)
    }
}

/// Checks all events up to a position, and hands over the blocks in order.
async fn walk(pool: &PgPool, tenant: TenantId, to: i64, mut each: impl FnMut(&Block)) -> Result<(), VerifyError> {
    let workers = std::thread::available_parallelism().map_or(2, std::num::NonZero::get).clamp(2, 8);
    let idle = std::sync::Arc::new(Mutex::new(Vec::<PgConnection>::new()));
    let starts = stream::iter((1..=to).step_by(BLOCK as usize));
    let mut blocks = starts
        .map(|first| {
            let (pool, idle) = (pool.clone(), idle.clone());
            AbortOnDropHandle::new(tokio::spawn(async move {
                let kept = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let mut connection = match kept {
                    Some(connection) => connection,
                    None => raw::connection(&pool).await?,
                };
                let block = check_block(&mut connection, tenant, first, to.min(first + BLOCK - 1)).await?;
                // Only one whose stream was read to its end is of further use.
                idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
                Ok::<_, VerifyError>(block)
            }))
        })
        .buffered(workers);
    let mut previous = GENESIS;
    while let Some(block) = blocks.next().await {
        let block = block.map_err(|error| sqlx::Error::Protocol(format!("a block's task failed: {error}")))??;
        if block.previous != previous {
            return Err(broken(block.first, "altered while it was read"));
        }
        each(&block);
        previous = block.last();
    }
    Ok(())
}

/// Checks the events of a block on top of the stored hash of the event before it.
async fn check_block(
    connection: &mut PgConnection,
    tenant: TenantId,
    first: i64,
    last: i64,
) -> Result<Block, VerifyError> {
    let mut rows = raw::rows(connection, tenant, (first - 1).max(1), last).await?;
    let mut block = Block {
        first,
        previous: GENESIS,
        hashes: Vec::with_capacity((last + 1 - first) as usize),
        erasures: Erasures::default(),
    };
    let mut position = (first - 1).max(1);
    while let Some(message) = rows.try_next().await? {
        let Some(row) = RawRow::read(message.as_ref())? else { continue };
        if row.position != position {
            let what = if row.position < position { "stands twice" } else { "missing" };
            return Err(broken(position, what));
        }
        let hash = row.hash().ok_or_else(|| broken(position, "a hash that is no sha256"))?;
        if position < first {
            block.previous = hash;
        } else {
            check(&row, &block.last(), &hash)?;
            block.hashes.push(hash);
            block.erasures.see(&Seen {
                position,
                event_type: row.event_type,
                occurred_at: row.occurred_at,
                erased_at: row.erased_at,
                payload: row.payload,
            });
        }
        position += 1;
    }
    if position <= last {
        return Err(broken(position, "missing"));
    }
    Ok(block)
}

pub(super) fn broken(position: i64, what: &'static str) -> VerifyError {
    Broken { position: Position(position), what }.into()
}

/// Whether this is the event that must stand here.
fn check(row: &RawRow<'_>, previous: &Hash, stored: &Hash) -> Result<(), VerifyError> {
    let fault = |what| Err(broken(row.position, what));
    let Ok(payload_hash) = Hash::try_from(row.payload_hash) else { return fault("a hash that is no sha256") };
    if row.erased_at.is_none() && of_bytes(row.payload) != payload_hash {
        return fault("the payload was altered");
    }
    if row.erased_at.is_some() {
        let payload = std::str::from_utf8(row.payload).unwrap_or_default();
        if !is_blank(row.aggregate_type, row.event_type, row.event_version, payload) {
            return fault(SPEAKS);
        }
    }
    let (Some(occurred_at), Some(recorded_at)) =
        (DateTime::from_timestamp_micros(row.occurred_at), DateTime::from_timestamp_micros(row.recorded_at))
    else {
        return fault("a time that no calendar has");
    };
    let link = Link {
        position: row.position,
        aggregate_type: row.aggregate_type,
        aggregate_id: row.aggregate_id,
        sequence: row.sequence,
        event_type: row.event_type,
        event_version: row.event_version,
        occurred_at,
        recorded_at,
        payload: &payload_hash,
        metadata: &of_bytes(row.metadata),
    };
    if link.after(previous) == *stored {
        Ok(())
    } else {
        fault("altered or moved: it does not follow from the event before it")
    }
}
