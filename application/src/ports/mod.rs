//! What the application needs from the outside. Each port says what must hold for every implementation.

pub mod access_tokens;
pub mod addresses;
pub mod audit;
pub mod bodies;
pub mod clock;
pub mod contacts;
pub mod daily_limits;
pub mod deliveries;
pub mod delivery_effects;
pub mod directory;
pub mod erasures;
pub mod ledger;
pub mod media;
pub mod outbound;
pub mod plugins;
pub mod provider;
pub mod quarantine;
pub mod rate_limits;
pub mod read_models;
pub mod receipts;
pub mod receivers;
pub mod recipients;
pub mod refreshes;
pub mod secrets;
pub mod subscribers;
pub mod vault;
pub mod whatsapp;
pub mod whatsapp_account;

/// A fault of the outside: the database, the disk, the network. Never a broken rule.
#[derive(Debug, thiserror::Error)]
#[error("{what} is unavailable")]
pub struct Unavailable {
    /// What cannot be reached.
    pub what: &'static str,
    /// Why.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

impl Unavailable {
    /// Wraps a fault.
    pub fn new(what: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { what, source: source.into() }
    }
}
