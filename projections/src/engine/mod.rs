//! Keeps the read models in step with the ledger, and builds them anew.
//!
//! One task per tenant takes what was appended, in batches, and applies all read models and all their cursors in one
//! transaction. The cursors are compared and set first: whoever comes second, here or on another server, waits for
//! the lock, sees that they have moved, and starts over. So every event is applied exactly once.

mod batch;
mod copy;
mod cursor;
mod definition;
mod generation;
mod live;
mod parked;
mod poison;
mod projection;
mod queue;
mod rebuild;
mod rows;
mod watch;

pub use cursor::{Lag, lag, outdated};
pub use live::{Engine, EngineHandle, Options};
pub use parked::{ParkedStream, Retried, Which, park_stream, parked_streams, retry_parked};
pub use rebuild::{
    Comparison, Difference, LeftOut, Pace, Progress, RebuildError, RebuildOptions, Report, Step, Then, rebuild,
};
pub use watch::Watch;

use chatledger_application::ports::Unavailable;
use sqlx::PgPool;

/// The tables of a rebuild that was begun and not ended; none where there is none.
///
/// # Errors
/// When the database cannot be reached.
pub async fn unfinished_rebuild(pool: &PgPool) -> Result<Vec<String>, Unavailable> {
    let mut db = pool.acquire().await.map_err(crate::unavailable)?;
    generation::unfinished(&mut db).await.map_err(crate::unavailable)
}

/// Drops what an unfinished rebuild has built.
///
/// # Errors
/// When the database cannot be reached.
pub async fn discard_rebuild(pool: &PgPool) -> Result<(), Unavailable> {
    let mut tx = pool.begin().await.map_err(crate::unavailable)?;
    generation::discard(&mut tx).await.map_err(crate::unavailable)?;
    tx.commit().await.map_err(crate::unavailable)
}

/// Drops generations that have not answered for so many seconds: how many tables that were.
///
/// # Errors
/// When the database cannot be reached.
pub async fn drop_retired(pool: &PgPool, seconds: i64) -> Result<usize, Unavailable> {
    let mut tx = pool.begin().await.map_err(crate::unavailable)?;
    let dropped = generation::drop_before(&mut tx, None, Some(seconds)).await.map_err(crate::unavailable)?;
    tx.commit().await.map_err(crate::unavailable)?;
    Ok(dropped)
}

/// Drops what an unfinished rebuild may know of somebody who was forgotten while it was under way, unless it goes on.
///
/// # Errors
/// When the database cannot be reached.
pub async fn forget_unfinished(pool: &PgPool) -> Result<(), Unavailable> {
    sqlx::query("SELECT read_models.forget_unfinished()").execute(pool).await.map_err(crate::unavailable)?;
    Ok(())
}

pub(crate) use cursor::applied;
pub(crate) use projection::{
    ALL, Batch, Carried, Erased, OfChat, OfCustomer, Projection, ProjectionError, ROWS, Stage, Table, checked_wa_id,
    count_rows, in_order, may_remember, recount,
};
pub(crate) use rows::Rows;

/// The names of all read models.
#[must_use]
pub fn names() -> Vec<&'static str> {
    ALL.iter().map(|projection| projection.name()).collect()
}

/// Every read model with its tables in schema `read_models`.
#[must_use]
pub fn tables() -> Vec<(&'static str, Vec<&'static str>)> {
    let names = |projection: &dyn Projection| projection.tables().iter().map(|table| table.name).collect();
    ALL.iter().map(|projection| (projection.name(), names(*projection))).collect()
}
