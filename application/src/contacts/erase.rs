//! Forgets a contact.

use std::sync::Arc;

use chatledger_domain::{TenantId, UserId, WaId};

use crate::{
    application::{Application, Context},
    error::ApplicationError,
    ports::{erasures::EraseContact, erasures::Erased, ledger::Metadata},
};

/// Files whose bytes are removed in one go.
const AT_ONCE: i64 = 100;

impl Application {
    /// Forgets everything personal that the inbox holds of a contact; for admins. When this returns it is gone from the
    /// ledger and, as far as they keep up, from the lists.
    ///
    /// # Errors
    /// [`ApplicationError::NotAllowed`], [`ApplicationError::UnknownContact`], the database's fault.
    pub async fn erase_contact(&self, context: &Context, wa_id: WaId) -> Result<Erased, ApplicationError> {
        if !context.actor.is_admin() {
            return Err(ApplicationError::NotAllowed);
        }
        self.forget(context.tenant, wa_id, Some(context.actor.user), context.metadata()).await
    }

    /// The same for the operator.
    ///
    /// # Errors
    /// [`ApplicationError::UnknownTenant`], else as [`Self::erase_contact`].
    pub async fn erase_contact_as_operator(&self, tenant: TenantId, wa_id: WaId) -> Result<Erased, ApplicationError> {
        if self.directory.by_id(tenant).await?.is_none() {
            return Err(ApplicationError::UnknownTenant);
        }
        self.forget(tenant, wa_id, None, self.system("operator", None)).await
    }

    async fn forget(
        &self,
        tenant: TenantId,
        wa_id: WaId,
        done_by: Option<UserId>,
        metadata: Arc<Metadata>,
    ) -> Result<Erased, ApplicationError> {
        let request = EraseContact { tenant, wa_id: wa_id.clone(), done_by, metadata, now: self.clock.now() };
        let erased = self.erasures.erase(request).await?.ok_or(ApplicationError::UnknownContact)?;
        // What is remembered of its streams may hold what is forgotten.
        self.streams.forget_contact(tenant, wa_id.as_str());
        // What cannot be removed now is removed by the next look at it.
        if let Err(error) = self.remove_forgotten_files().await {
            tracing::warn!(%error, "the files of a forgotten contact are not removed yet");
        }
        self.settle(tenant, erased.position).await;
        Ok(erased)
    }

    /// Removes the bytes of forgotten files that are still there; how many.
    ///
    /// # Errors
    /// The store's or the database's fault; what is left is found by the next call.
    pub async fn remove_forgotten_files(&self) -> Result<u64, ApplicationError> {
        let mut removed = 0;
        loop {
            let blobs = self.erasures.blobs_to_remove(AT_ONCE).await?;
            if blobs.is_empty() {
                return Ok(removed);
            }
            for (tenant, blob) in blobs {
                self.media.delete(tenant, blob).await?;
                self.erasures.blob_removed(tenant, blob).await?;
                removed += 1;
            }
        }
    }
}
