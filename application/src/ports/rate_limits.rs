//! How often somebody may ask: counted where all servers see it (R-SVC-6, R-LIM-*).

use async_trait::async_trait;
use chatledger_domain::TenantId;
use chrono::{DateTime, Utc};

use super::Unavailable;

/// A window's length, in seconds.
pub const WINDOW: i64 = 60;

/// Where a key stands in its window after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Whether the request was within the limit; one that was not is not counted.
    pub within: bool,
    /// Requests in a window.
    pub limit: u32,
    /// How many are left in this window.
    pub remaining: u32,
    /// When the next window begins.
    pub resets_at: DateTime<Utc>,
}

/// Counters that several servers share.
#[async_trait]
pub trait RateLimits: Send + Sync {
    /// Counts a request of `key` in fixed windows of [`WINDOW`] seconds, the first of which begins with the first
    /// request. Where no tenant is known, `tenant` is the nil one.
    async fn take(&self, tenant: TenantId, key: &str, limit: u32, now: DateTime<Utc>) -> Result<Rate, Unavailable>;
}
