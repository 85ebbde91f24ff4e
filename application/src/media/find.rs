//! Finds a file by the id under which a client knows it.

use std::ops::Range;

use chatledger_domain::{BlobId, MediaId, TenantId};

use crate::{application::Application, error::ApplicationError, ports::media::Chunks};

impl Application {
    /// The stored file of this id, ours or WhatsApp's.
    ///
    /// # Errors
    /// The read model's fault.
    pub async fn find_media(&self, tenant: TenantId, id: &str) -> Result<Option<MediaId>, ApplicationError> {
        let found = self.read_models.media(tenant, id).await?;
        Ok(found.filter(|media| media.stored.is_some()).map(|media| media.id))
    }

    /// The bytes of a file, or of a part of it; `None` when they are lost.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn read_media(
        &self,
        tenant: TenantId,
        blob: BlobId,
        part: Option<Range<u64>>,
    ) -> Result<Option<Chunks>, ApplicationError> {
        Ok(self.media.get(tenant, blob, part).await?)
    }
}
