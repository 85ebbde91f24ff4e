//! The read side: folds the ledger into tables (one folder per read model) and answers questions from them.
//!
//! Here: the engine (cursor, fold, rebuild), the tables' SQL, the queries. Never here: rules, HTTP, side effects.
//! To add a read model: a migration with its tables, a folder with `apply.rs` and `query.rs`, a line in the engine's
//! list; the test "rebuilt equals live" covers it from then on.

mod api_tokens;
mod assignments;
mod bulk_messages;
mod business_profiles;
mod chats;
mod contacts;
pub mod conversations;
mod customers;
mod engine;
mod groups;
mod inbox;
mod measures;
mod media;
mod messages;
mod models;
mod persons;
mod received_marks;
mod rule_engine;
mod saved_responses;
mod tagging_events;
mod taggings;
mod tags;
mod template_days;
mod templates;
mod tenants;
mod text;
pub mod told;
mod users;
pub mod views;
mod webhooks;
mod whatsapp_accounts;

use chatledger_application::ports::Unavailable;

pub use contacts::InternalContacts;
pub use engine::{
    Comparison, Difference, Engine, EngineHandle, Lag, LeftOut, Options, Pace, ParkedStream, Progress, RebuildError,
    RebuildOptions, Report, Retried, Step, Then, Watch, Which, discard_rebuild, drop_retired, forget_unfinished, lag,
    names, outdated, park_stream, parked_streams, rebuild, retry_parked, tables, unfinished_rebuild,
};
pub use inbox::{Caller, Inbox};
pub use models::Models;
pub use tenants::TenantDirectory;
pub use whatsapp_accounts::{AccountStatus, WhatsAppAccountView};

fn unavailable(error: sqlx::Error) -> Unavailable {
    Unavailable::new("the read model", error)
}
