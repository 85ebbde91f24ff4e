//! The read side: folds the ledger into tables (one folder per read model) and answers questions from them.
//!
//! Here: the engine (cursor, fold, rebuild), the tables' SQL, the queries. Never here: rules, HTTP, side effects.
//! To add a read model: a migration with its tables, a folder with `apply.rs` and `query.rs`, a line in the engine's
//! list; the test "rebuilt equals live" covers it from then on.

mod engine_stub;
mod inbox;
pub mod views;

pub use engine_stub::{
    Engine, EngineHandle, Lag, Models, Options, Progress, RebuildError, TenantDirectory, Watch, lag, names, rebuild,
};
pub use inbox::{Caller, Inbox};
