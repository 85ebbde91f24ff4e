//! When what WhatsApp holds was last looked at, and who is looking now: one at a time, over all servers.

use std::time::Duration;

use async_trait::async_trait;
use chatledger_domain::TenantId;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Unavailable;

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The message templates.
    Templates,
    /// The business profile and the photo.
    Settings,
}

impl Subject {
    /// The stored name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Templates => "templates",
            Self::Settings => "settings",
        }
    }
}

/// How fresh something is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Freshness {
    /// Whether somebody is looking now.
    pub is_refreshing: bool,
    /// When it was last seen whole.
    pub refreshed_at: Option<DateTime<Utc>>,
    /// When looking was last begun.
    pub begun_at: Option<DateTime<Utc>>,
}

/// Refreshes, by tenant, subject and account (another number starts anew). No facts of the inbox, so not in the ledger.
#[async_trait]
pub trait Refreshes: Send + Sync {
    /// Begins a refresh; `None` when one is under way. Whoever does not end it within the lease has lost it.
    async fn begin(
        &self,
        tenant: TenantId,
        subject: Subject,
        account: &str,
        lease: Duration,
    ) -> Result<Option<Uuid>, Unavailable>;
    /// Ends the refresh of this ticket; `refreshed_at` when it came through.
    async fn end(
        &self,
        tenant: TenantId,
        subject: Subject,
        ticket: Uuid,
        refreshed_at: Option<DateTime<Utc>>,
    ) -> Result<(), Unavailable>;
    /// How fresh it is.
    async fn freshness(&self, tenant: TenantId, subject: Subject, account: &str) -> Result<Freshness, Unavailable>;
}
