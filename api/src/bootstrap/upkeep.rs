//! What a crash cut short is finished.

use std::{collections::HashSet, time::Duration};

use chatledger_infrastructure::postgres::{PgDailyLimits, PgRateLimits, Pool};
use chatledger_projections::{drop_retired, forget_unfinished};
use chrono::{TimeDelta, Utc};
use tokio::task::JoinHandle;

use super::server::Core;

/// How long rows that answered before a rebuild are kept.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// The running tasks.
pub(super) struct Upkeep([JoinHandle<()>; 2]);

impl Upkeep {
    pub(super) fn start(core: &Core, pool: Pool) -> Self {
        Self([tokio::spawn(finish(core.clone(), pool)), tokio::spawn(notice_deleted(core.clone()))])
    }

    /// Stops at once: what is under way goes on after the next start.
    pub(super) fn stop(self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

/// What a crash cut short goes on, at start and every minute: taggings of a deleted tag are removed, chats of a deleted
/// group or a deactivated user taken from it, forgotten files removed from the store. Read models that answered before a
/// rebuild are dropped after a day.
async fn finish(core: Core, pool: Pool) {
    loop {
        if let Err(error) = drop_retired(&pool, KEPT.as_secs().cast_signed()).await {
            tracing::warn!(%error, "read models from before a rebuild are not dropped yet");
        }
        if let Err(error) = forget_unfinished(&pool).await {
            tracing::warn!(%error, "an unfinished rebuild may still know of a forgotten contact");
        }
        if let Err(error) = core.application.remove_forgotten_files().await {
            tracing::warn!(%error, "the files of a forgotten contact are not removed yet");
        }
        let customers = PgDailyLimits::new(pool.clone());
        if let Err(error) = PgRateLimits::new(pool.clone()).forget(Utc::now()).await {
            tracing::warn!(%error, "counts of requests that are over are not removed yet");
        }
        if let Ok(tenants) = core.directory.all().await {
            for tenant in tenants.iter() {
                // Servers may not agree on when midnight is.
                let yesterday = (Utc::now() - TimeDelta::days(1)).date_naive();
                if let Err(error) = customers.forget_before(tenant.id, yesterday).await {
                    tracing::warn!(%error, "counts of customers that are over are not removed yet");
                }
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

/// Notices every second which tenants were deleted.
async fn notice_deleted(core: Core) {
    let mut known = HashSet::new();
    loop {
        match core.application.notice_deleted(&known).await {
            Ok(there) => known = there,
            Err(error) => tracing::warn!(%error, "whether tenants were deleted is not known"),
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
