//! Notices tenants that were deleted.

use std::collections::HashSet;

use chatledger_domain::TenantId;

use crate::{application::Application, error::ApplicationError};

impl Application {
    /// The tenants that have a ledger. Where one of those known before has none any more, everything remembered is
    /// dropped: under its id another may come, whose streams are others.
    ///
    /// # Errors
    /// The ledger's fault.
    pub async fn notice_deleted(&self, known: &HashSet<TenantId>) -> Result<HashSet<TenantId>, ApplicationError> {
        let there: HashSet<TenantId> = self.ledger.heads().await?.into_iter().map(|(tenant, _)| tenant).collect();
        if !known.is_subset(&there) {
            self.streams.forget_all();
        }
        Ok(there)
    }
}
