//! What becomes of whole tenants, for the operator's commands: written into a file, brought in from one, deleted.

use std::{path::Path, time::Duration};

use chatledger_domain::TenantId;
use chatledger_infrastructure::postgres::{
    ArchiveError, ArchiveProgress, Archived, Deleted, DeletionError, DeletionStep, delete_tenant, export, import,
};

use super::{StartError, tools::Tools};

impl Tools {
    /// Writes a tenant into a file.
    ///
    /// # Errors
    /// [`ArchiveError`].
    pub async fn export(
        &self,
        slug: &str,
        with_secrets: bool,
        path: &Path,
        progress: impl FnMut(ArchiveProgress) + Send,
    ) -> Result<Archived, ArchiveError> {
        let (pool, media) = (&self.database.pool, &*self.core.media);
        export(pool, media, (TenantId::of_slug(slug), slug), with_secrets, path, progress).await
    }

    /// Brings a tenant in from a file.
    ///
    /// # Errors
    /// [`ArchiveError`].
    pub async fn import(
        &self,
        path: &Path,
        progress: impl FnMut(ArchiveProgress) + Send,
    ) -> Result<Archived, ArchiveError> {
        import(&self.database.pool, &*self.core.media, path, progress).await
    }

    /// Deletes a tenant with everything that is its own.
    ///
    /// # Errors
    /// [`DeletionError`].
    pub async fn delete_tenant(
        &self,
        slug: &str,
        progress: impl FnMut(DeletionStep) + Send,
    ) -> Result<Deleted, DeletionError> {
        delete_tenant(&self.database.pool, &*self.core.media, TenantId::of_slug(slug), progress).await
    }

    /// Waits until the read models of a tenant have reached its ledger's head, at most so long: whether they have. Where
    /// no server runs, this process folds.
    ///
    /// # Errors
    /// The database's fault.
    pub async fn wait_until_folded(&self, tenant: TenantId, at_most: Duration) -> Result<bool, StartError> {
        let head = self.core.ledger.head(tenant).await.map_err(|e| StartError::Database(e.into()))?;
        Ok(self.core.models.wait_for(tenant, head, at_most).await)
    }
}
