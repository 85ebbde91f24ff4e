//! What a crash cut short is finished.

use std::time::Duration;

use super::server::Core;

/// What a crash cut short goes on, at start and every minute: taggings of a deleted tag are removed, chats of a deleted
/// group or a deactivated user taken from it, forgotten files removed from the store.
pub(super) async fn finish(core: Core) {
    loop {
        if let Err(error) = core.application.remove_forgotten_files().await {
            tracing::warn!(%error, "the files of a forgotten contact are not removed yet");
        }
        if let Ok(tenants) = core.directory.all().await {
            for tenant in tenants.iter() {
                if let Err(error) = core.application.finish_tag_deletions(tenant.id).await {
                    tracing::warn!(%error, "a tag's taggings are not removed yet");
                }
                if let Err(error) = core.application.finish_group_deletions(tenant.id).await {
                    tracing::warn!(%error, "a deleted group is not empty yet");
                }
                if let Err(error) = core.application.finish_deactivations(tenant.id).await {
                    tracing::warn!(%error, "a deactivated user's chats are not taken from it yet");
                }
            }
        }
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
}
