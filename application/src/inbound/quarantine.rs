//! Tries again to record what is in quarantine, for the operator.

use uuid::Uuid;

use super::receive::Door;
use crate::{application::Application, error::ApplicationError, ports::quarantine::Quarantined};

/// What a retry came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retried {
    /// It is in the ledger now and no more in quarantine.
    Recorded,
    /// It still cannot be recorded.
    StillQuarantined,
    /// There is no such row.
    Unknown,
}

impl Application {
    /// What is in quarantine, the newest first.
    ///
    /// # Errors
    /// The quarantine's fault.
    pub async fn quarantined_items(&self, limit: i64) -> Result<Vec<Quarantined>, ApplicationError> {
        Ok(self.quarantine.list(None, limit).await?)
    }

    /// One row of the quarantine.
    ///
    /// # Errors
    /// The quarantine's fault.
    pub async fn quarantined_item(&self, id: Uuid) -> Result<Option<Quarantined>, ApplicationError> {
        Ok(self.quarantine.get(id).await?)
    }

    /// Feeds a row through the door it came through, once more.
    ///
    /// # Errors
    /// The fault of a port; the row stays.
    pub async fn retry_quarantined(&self, id: Uuid) -> Result<Retried, ApplicationError> {
        let Some(row) = self.quarantine.get(id).await? else { return Ok(Retried::Unknown) };
        let door = if row.door == "channel" { Door::Channel(row.tenant) } else { Door::Cloud };
        // What fails again is kept again, as this same row.
        if self.receive(door, &row.body).await?.kept > 0 {
            return Ok(Retried::StillQuarantined);
        }
        self.quarantine.release(row.tenant, row.id).await?;
        Ok(Retried::Recorded)
    }
}
