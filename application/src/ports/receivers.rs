//! Who is delivered to.

use std::sync::Arc;

use async_trait::async_trait;
use chatledger_domain::{TenantId, UserId};

use super::Unavailable;
use crate::endpoints::CallTarget;

/// A receiver of outgoing webhooks, as it is now.
#[derive(Clone, Debug)]
pub struct Receiver {
    /// The position of the event that registered it.
    pub id: i64,
    /// Whose it is.
    pub user: UserId,
    /// Whether it may be called: its user is active and it is not disabled (R-IWH-11, R-OUT-4).
    pub is_enabled: bool,
    /// Where to call, with which headers and secrets.
    pub target: Arc<CallTarget>,
}

/// Knows the receivers.
#[async_trait]
pub trait Receivers: Send + Sync {
    /// The receivers of a tenant, by id. One whose address changed at this very moment may be missing.
    async fn receivers(&self, tenant: TenantId) -> Result<Vec<Receiver>, Unavailable>;
}
