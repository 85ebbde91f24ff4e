//! Removes what is left of a deleted tag: every tagging, each with an event of its own.

use std::sync::Arc;

use chatledger_domain::{TagId, TenantId, UserId};

use crate::{application::Application, chats::Remover, error::ApplicationError, ports::ledger::Metadata};

/// Taggings removed between two looks.
const PAGE: i64 = 200;

impl Application {
    /// Goes on with deletions that were cut short: by a crash, or because something was tagged at the same moment.
    ///
    /// # Errors
    /// As [`Self::remove_taggings_of`].
    pub async fn finish_tag_deletions(&self, tenant: TenantId) -> Result<(), ApplicationError> {
        for tag in self.read_models.deleted_tags_in_use(tenant).await? {
            self.remove_taggings_of(tenant, tag, None, &self.system("tag clean-up", None)).await?;
        }
        Ok(())
    }

    /// Removes all taggings with a tag. May be repeated: what is gone already is left out.
    ///
    /// # Errors
    /// The ledger's or the read models' fault; what was removed until then stays removed.
    pub async fn remove_taggings_of(
        &self,
        tenant: TenantId,
        tag: TagId,
        done_by: Option<UserId>,
        metadata: &Arc<Metadata>,
    ) -> Result<(), ApplicationError> {
        loop {
            let standing = self.read_models.taggings_with(tenant, tag, PAGE).await?;
            let mut last = None;
            for tagging in &standing {
                let Some(found) = self.tagging_at(tenant, tagging.id, tagging.of_message).await? else { continue };
                match self.remove_tagging(tenant, &found, Remover { actor: None, done_by }, metadata).await {
                    Ok(position) => last = Some(position),
                    Err(ApplicationError::UnknownTagging) => {}
                    Err(error) => return Err(error),
                }
            }
            self.settle(tenant, last).await;
            // Nothing more to remove, or only what the read models have not yet seen removed.
            if last.is_none() {
                return Ok(());
            }
        }
    }
}
