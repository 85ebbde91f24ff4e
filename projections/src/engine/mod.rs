//! Keeps the read models in step with the ledger, and builds them anew.
//!
//! One task per tenant takes what was appended, in batches, and applies all read models and all their cursors in one
//! transaction. The cursors are compared and set first: whoever comes second, here or on another server, waits for
//! the lock, sees that they have moved, and starts over. So every event is applied exactly once.

mod batch;
mod cursor;
mod live;
mod poison;
mod projection;
mod queue;
mod rebuild;
mod watch;

pub use cursor::{Lag, lag};
pub use live::{Engine, EngineHandle, Options};
pub use rebuild::{Progress, RebuildError, rebuild};
pub use watch::Watch;

pub(crate) use cursor::applied;
pub(crate) use projection::{ALL, Batch, OfChat, Projection, ProjectionError, checked_wa_id, count_rows, recount};

/// The names of all read models.
#[must_use]
pub fn names() -> Vec<&'static str> {
    ALL.iter().map(|projection| projection.name()).collect()
}

/// Every read model with its tables in schema `read_models`.
#[must_use]
pub fn tables() -> Vec<(&'static str, &'static [&'static str])> {
    ALL.iter().map(|projection| (projection.name(), projection.tables())).collect()
}
