//! What the queries answer.

use chatledger_domain::{AccountId, whatsapp_account::Tier};
use chrono::{DateTime, Utc};

/// How a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountStatus {
    /// Connected.
    Active,
    /// Connected, and WhatsApp does not take its access token.
    Error,
    /// Disconnected.
    Disconnected,
}

/// The newest connection of an inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhatsAppAccountView {
    /// The connection.
    pub id: AccountId,
    /// WhatsApp's id of the number.
    pub phone_number_id: String,
    /// The address that WhatsApp shall call, as whoever connected it has told.
    pub webhook_url: Option<String>,
    /// How it is.
    pub status: AccountStatus,
    /// What WhatsApp lets it send on a day.
    pub tier: Tier,
    /// Customers that were sent a template outside the window on the day that was asked for.
    pub used: u32,
    /// Since when it is, or was, connected.
    pub connected_at: DateTime<Utc>,
}
