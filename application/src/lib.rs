//! What the inbox does: one use case per file, and the ports (traits) through which it reaches the outside.
//!
//! Here: load the aggregates, let them decide, append what they decided, wait until it can be read. Never here: rules
//! (they are the domain's), SQL, HTTP, the clock, randomness (they come in through [`ports`]). To add a use case, add
//! a file with one `impl Application` block to the folder of its noun.

pub mod account;
pub mod accounts;
pub mod api_tokens;
pub mod application;
pub mod audit;
pub mod bulk;
pub mod chats;
pub mod contacts;
pub mod customers;
mod decisions;
pub mod endpoints;
pub mod error;
mod groups;
pub mod inbound;
mod loading;
pub mod media;
pub mod plugins;
pub mod ports;
pub mod pushes;
pub mod rule_engine;
pub mod saved_responses;
pub mod streams;
pub mod tags;
pub mod tenants;
pub mod users;
pub mod webhooks;

pub use application::{Application, Context};
pub use error::ApplicationError;
