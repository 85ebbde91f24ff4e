//! What use cases ask of the read models.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use chatledger_application::ports::{
    Unavailable,
    daily_limits::{TemplateDay, TemplateDays},
    read_models::{KeptTemplate, MediaRef, MessageRef, ReadModels, Sent, StandingTagging},
};
use chatledger_domain::{Assignment, GroupId, MessageId, Position, Role, TagId, TenantId, UserId, WaId};
use chrono::NaiveDate;
use sqlx::{PgPool, pool::PoolConnection};

use crate::{
    assignments, chats,
    engine::{Watch, applied},
    groups, media, messages, taggings, tags, template_days, templates,
    text::lower,
    unavailable, users,
};

/// How long this process's own engine is trusted to tell before the cursors are looked at: another server may be
/// applying.
const TRUST: Duration = Duration::from_millis(100);
/// How often the cursors are looked at where no engine tells.
const POLL: Duration = Duration::from_millis(20);

/// The read models as use cases need them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Models {
    pool: PgPool,
    watch: Watch,
}

impl Models {
    /// Over a pool; `watch` is the engine's, or the default where none runs in this process.
    #[must_use]
    pub fn new(pool: PgPool, watch: Watch) -> Self {
        Self { pool, watch }
    }

    pub(crate) async fn db(&self) -> Result<PoolConnection<sqlx::Postgres>, Unavailable> {
        self.pool.acquire().await.map_err(unavailable)
    }
}

#[async_trait]
impl ReadModels for Models {
    async fn wait_for(&self, tenant: TenantId, position: Position, at_most: Duration) -> bool {
        let until = Instant::now() + at_most;
        let mut told = self.watch.of(tenant);
        loop {
            if *told.borrow_and_update() >= position.0 {
                return true;
            }
            let pause = if self.watch.is_told() { TRUST } else { POLL };
            let left = until.saturating_duration_since(Instant::now());
            if tokio::time::timeout(pause.min(left), told.changed()).await.is_ok_and(|changed| changed.is_ok()) {
                continue;
            }
            match applied(&self.pool, tenant).await {
                Ok(applied) if applied >= position.0 => return true,
                Err(error) => tracing::warn!(%error, "the cursors cannot be read"),
                Ok(_) => {}
            }
            if left.is_zero() {
                return false;
            }
        }
    }

    async fn message(&self, tenant: TenantId, id: &str) -> Result<Option<MessageRef>, Unavailable> {
        messages::message_ref(&mut *self.db().await?, tenant, id).await.map_err(unavailable)
    }

    async fn sent(&self, tenant: TenantId, message: MessageId) -> Result<Option<Sent>, Unavailable> {
        messages::sent(&mut *self.db().await?, tenant, message).await.map_err(unavailable)
    }

    async fn user_by_name(&self, tenant: TenantId, username: &str) -> Result<Option<UserId>, Unavailable> {
        users::user_by_name(&mut *self.db().await?, tenant, &lower(username)).await.map_err(unavailable)
    }

    async fn chats_of_user(&self, tenant: TenantId, user: UserId, limit: i64) -> Result<Vec<WaId>, Unavailable> {
        let holder = chats::Holder::User(user);
        chats::held_by(&mut *self.db().await?, tenant, holder, limit).await.map_err(unavailable)
    }

    async fn chats_of_group(&self, tenant: TenantId, group: GroupId, limit: i64) -> Result<Vec<WaId>, Unavailable> {
        let holder = chats::Holder::Group(group);
        chats::held_by(&mut *self.db().await?, tenant, holder, limit).await.map_err(unavailable)
    }

    async fn assignments_at(
        &self,
        tenant: TenantId,
        chats: &[&str],
        position: Position,
    ) -> Result<HashMap<String, Assignment>, Unavailable> {
        assignments::assignments_at(&mut *self.db().await?, tenant, chats, position).await.map_err(unavailable)
    }

    async fn ended_users_with_chats(&self, tenant: TenantId) -> Result<Vec<UserId>, Unavailable> {
        users::ended_with_chats(&mut *self.db().await?, tenant).await.map_err(unavailable)
    }

    async fn deleted_groups_in_use(&self, tenant: TenantId) -> Result<Vec<GroupId>, Unavailable> {
        groups::deleted_in_use(&mut *self.db().await?, tenant).await.map_err(unavailable)
    }

    async fn users_of_group(&self, tenant: TenantId, group: GroupId) -> Result<Vec<UserId>, Unavailable> {
        users::users_of_group(&mut *self.db().await?, tenant, group).await.map_err(unavailable)
    }

    async fn members_taking_chats(&self, tenant: TenantId, group: GroupId) -> Result<Vec<UserId>, Unavailable> {
        users::members_taking_chats(&mut *self.db().await?, tenant, group).await.map_err(unavailable)
    }

    async fn built_in_groups(&self, tenant: TenantId) -> Result<HashMap<Role, GroupId>, Unavailable> {
        groups::built_in(&mut *self.db().await?, tenant).await.map_err(unavailable)
    }

    async fn active_admins(&self, tenant: TenantId) -> Result<Vec<UserId>, Unavailable> {
        users::active_admins(&mut *self.db().await?, tenant).await.map_err(unavailable)
    }

    async fn users_by_age(&self, tenant: TenantId) -> Result<Vec<(UserId, bool)>, Unavailable> {
        users::users_by_age(&mut *self.db().await?, tenant).await.map_err(unavailable)
    }

    async fn newest_incoming(&self, tenant: TenantId, wa_id: &WaId, until: i64) -> Result<Option<String>, Unavailable> {
        messages::newest_incoming(&mut *self.db().await?, tenant, wa_id, until).await.map_err(unavailable)
    }

    async fn tag_by_name(&self, tenant: TenantId, name: &str) -> Result<Option<TagId>, Unavailable> {
        tags::by_name(&mut *self.db().await?, tenant, &lower(name)).await.map_err(unavailable)
    }

    async fn taggings_with(
        &self,
        tenant: TenantId,
        tag: TagId,
        limit: i64,
    ) -> Result<Vec<StandingTagging>, Unavailable> {
        taggings::standing(&mut *self.db().await?, tenant, tag, limit).await.map_err(unavailable)
    }

    async fn template(
        &self,
        tenant: TenantId,
        name: &str,
        language: &str,
    ) -> Result<Option<KeptTemplate>, Unavailable> {
        templates::kept(&mut *self.db().await?, tenant, name, language).await.map_err(unavailable)
    }

    async fn deleted_tags_in_use(&self, tenant: TenantId) -> Result<Vec<TagId>, Unavailable> {
        taggings::of_deleted_tags(&mut *self.db().await?, tenant).await.map_err(unavailable)
    }

    async fn media(&self, tenant: TenantId, id: &str) -> Result<Option<MediaRef>, Unavailable> {
        media::media(&mut *self.db().await?, tenant, id).await.map_err(unavailable)
    }

    async fn media_bytes(&self, tenant: TenantId) -> Result<u64, Unavailable> {
        media::bytes(&mut *self.db().await?, tenant).await.map_err(unavailable)
    }
}

#[async_trait]
impl TemplateDays for Models {
    async fn template_day(&self, tenant: TenantId, day: NaiveDate, wa_id: &WaId) -> Result<TemplateDay, Unavailable> {
        template_days::template_day(&mut *self.db().await?, tenant, day, wa_id).await.map_err(unavailable)
    }
}
