//! Proof that a ledger is as it was written: `ledger verify`.

use chatledger_domain::{Position, TenantId};
use chrono::{DateTime, Utc};
use sqlx::{PgPool, Row, postgres::PgRow};

use super::hash::{GENESIS, Hash, Link, of_text};

/// How many events are read at once.
const PAGE: i64 = 5_000;

/// A ledger that is as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// How many events it has.
    pub events: i64,
    /// The hash of its newest event, which stands for all of them.
    pub head_hash: [u8; 32],
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

const PAGE_QUERY: &str = "SELECT e.position, e.aggregate_type, e.aggregate_id, e.sequence, e.event_type, \
    e.event_version, e.payload, e.metadata, e.occurred_at, e.recorded_at, e.payload_hash, e.hash, \
    e.erased_at IS NOT NULL \
    FROM ledger.events e WHERE e.tenant_id = $1 AND e.position > $2 AND e.position <= $3 ORDER BY e.position LIMIT $4";

/// Walks a tenant's ledger in order, up to the head it has now, and names the first event that was altered, removed
/// or moved. `progress` hears how many of how many are done, after each page.
///
/// # Errors
/// [`Broken`] where the ledger is not as it was written.
pub async fn verify(
    pool: &PgPool,
    tenant: TenantId,
    mut progress: impl FnMut(i64, i64),
) -> Result<Verified, VerifyError> {
    let head: Option<(i64, Vec<u8>)> =
        sqlx::query_as("SELECT head_position, head_hash FROM ledger.heads WHERE tenant_id = $1")
            .bind(tenant.0)
            .fetch_optional(pool)
            .await?;
    let (head, head_hash) = head.unwrap_or((0, GENESIS.to_vec()));
    let (mut position, mut hash) = (0, GENESIS);
    while position < head {
        let rows = sqlx::query(PAGE_QUERY).bind(tenant.0).bind(position).bind(head).bind(PAGE).fetch_all(pool).await?;
        if rows.is_empty() {
            return Err(broken(position + 1, "missing, as is everything up to the recorded head"));
        }
        for row in &rows {
            hash = check(row, position + 1, &hash)?;
            position += 1;
        }
        progress(position, head);
    }
    if hash[..] != head_hash[..] {
        return Err(broken(head, "the recorded head has another hash"));
    }
    // In one statement, so that an append between two would not look like a forgery.
    let beyond: Option<i64> = sqlx::query_scalar(
        "SELECT min(e.position) FROM ledger.events e WHERE e.tenant_id = $1 AND e.position > coalesce( \
             (SELECT h.head_position FROM ledger.heads h WHERE h.tenant_id = $1), 0)",
    )
    .bind(tenant.0)
    .fetch_one(pool)
    .await?;
    match beyond {
        Some(position) => Err(broken(position, "beyond the recorded head")),
        None => Ok(Verified { events: head, head_hash: hash }),
    }
}

fn broken(position: i64, what: &'static str) -> VerifyError {
    Broken { position: Position(position), what }.into()
}

/// The hash of the event that must stand here.
fn check(row: &PgRow, position: i64, previous: &Hash) -> Result<Hash, VerifyError> {
    if row.try_get::<i64, _>(0)? != position {
        return Err(broken(position, "missing"));
    }
    let payload: &str = row.try_get_unchecked(6)?;
    let metadata: &str = row.try_get_unchecked(7)?;
    let (Ok(payload_hash), Ok(stored)) =
        (Hash::try_from(row.try_get::<&[u8], _>(10)?), Hash::try_from(row.try_get::<&[u8], _>(11)?))
    else {
        return Err(broken(position, "a hash that is no sha256"));
    };
    let erased: bool = row.try_get(12)?;
    if !erased && of_text(payload) != payload_hash {
        return Err(broken(position, "the payload was altered"));
    }
    let link = Link {
        position,
        aggregate_type: row.try_get(1)?,
        aggregate_id: row.try_get(2)?,
        sequence: row.try_get(3)?,
        event_type: row.try_get(4)?,
        event_version: row.try_get(5)?,
        occurred_at: row.try_get::<DateTime<Utc>, _>(8)?,
        recorded_at: row.try_get::<DateTime<Utc>, _>(9)?,
        payload: &payload_hash,
        metadata: &of_text(metadata),
    };
    if link.after(previous) != stored {
        return Err(broken(position, "altered or moved: it does not follow from the event before it"));
    }
    Ok(stored)
}
