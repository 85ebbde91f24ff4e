//! What a crash cut short is finished.

use std::time::Duration;

use chatledger_infrastructure::postgres::Pool;
use chatledger_projections::drop_retired;

use super::server::Core;

/// How long rows that answered before a rebuild are kept.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// What a crash cut short goes on, at start and every minute: taggings of a deleted tag are removed, chats of a deleted
/// group or a deactivated user taken from it.
/// Read models that answered before a rebuild are dropped after a day.
pub(super) async fn finish(core: Core, pool: Pool) {
    loop {
        if let Err(error) = drop_retired(&pool, KEPT.as_secs().cast_signed()).await {
            tracing::warn!(%error, "read models from before a rebuild are not dropped yet");
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
