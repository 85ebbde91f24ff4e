//! Where contacts are forgotten: everything that is kept of one, in one transaction with the event that says so.

use std::sync::Arc;

use async_trait::async_trait;
use chatledger_domain::{BlobId, Position, TenantId, UserId, WaId};
use chrono::{DateTime, Utc};

use super::{Unavailable, ledger::LedgerError, ledger::Metadata};

/// A contact to be forgotten.
#[derive(Clone, Debug)]
pub struct EraseContact {
    /// Whose inbox.
    pub tenant: TenantId,
    /// Who is to be forgotten.
    pub wa_id: WaId,
    /// Who wants it; `None` for the operator.
    pub done_by: Option<UserId>,
    /// Recorded beside the events that say so.
    pub metadata: Arc<Metadata>,
    /// Now.
    pub now: DateTime<Utc>,
}

/// What became of it. A repeat that found nothing new has zeros and no position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// The position of the `ContactErased`; `None` when there was nothing left to forget.
    pub position: Option<Position>,
    /// Events whose payload was blanked.
    pub events: u64,
    /// Files that are removed.
    pub files: u64,
    /// Messages that were queued and are not sent any more.
    pub unsent: u64,
    /// Deliveries to webhooks whose body was blanked, in whole or in part.
    pub deliveries: u64,
    /// Rows of the quarantine that were dropped.
    pub quarantined: u64,
}

/// Why nobody was forgotten. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum ErasureError {
    /// The database cannot be reached, or not in time; whether it is done is seen by asking again.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// An event cannot be read, or not be blanked in the shape in which it was stored.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Forgets contacts.
#[async_trait]
pub trait Erasures: Send + Sync {
    /// Forgets a contact; `None` when the inbox has never seen it. Durable when it returns; the files are noted to be
    /// removed, see [`Erasures::blobs_to_remove`].
    async fn erase(&self, erase: EraseContact) -> Result<Option<Erased>, ErasureError>;

    /// Some files' bytes that are still to be removed.
    async fn blobs_to_remove(&self, limit: i64) -> Result<Vec<(TenantId, BlobId)>, Unavailable>;

    /// Notes that a file's bytes are removed.
    async fn blob_removed(&self, tenant: TenantId, blob: BlobId) -> Result<(), Unavailable>;
}
