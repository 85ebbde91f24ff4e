//! How many customers a number has written to today without having been written to (R-ACC-4).

use async_trait::async_trait;
use chatledger_domain::{TenantId, WaId};
use chrono::NaiveDate;

use super::Unavailable;

/// What is recorded of a day, for one customer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TemplateDay {
    /// Distinct customers that were sent a template outside the window.
    pub customers: u32,
    /// Whether this customer is one of them.
    pub has_customer: bool,
}

/// What is recorded, folded from the ledger.
#[async_trait]
pub trait TemplateDays: Send + Sync {
    /// A day, as far as it is folded.
    async fn template_day(&self, tenant: TenantId, day: NaiveDate, wa_id: &WaId) -> Result<TemplateDay, Unavailable>;
}

/// Whether a customer may be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// It is counted, now or already.
    Yes,
    /// As many as may be are counted, and it is not one of them.
    Full,
    /// Nothing is known of the day yet: say how many were sent to.
    Unknown,
}

/// Counts customers before they are sent to, on all servers together, so that no more are sent to than may be. What is
/// counted and not sent to in the end stays counted for the day. May forget everything: the ledger knows who was sent to.
#[async_trait]
pub trait DailyLimits: Send + Sync {
    /// Counts a customer of a day, once, while fewer than `limit` are counted. `used`: how many the ledger knows of,
    /// without this one; asked for by [`Counted::Unknown`].
    async fn count(
        &self,
        tenant: TenantId,
        day: NaiveDate,
        wa_id: &WaId,
        limit: u32,
        used: Option<u32>,
    ) -> Result<Counted, Unavailable>;
}
