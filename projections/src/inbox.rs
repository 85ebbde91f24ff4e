//! What the APIs ask of the read models; every answer leaves out what the asking user may not read.

use std::{collections::HashMap, sync::Arc};

use chatledger_application::ports::Unavailable;
use chatledger_domain::{Actor, RawJson, Scope, TagId, TaggingId, TenantId, UserId, WaId};
use sqlx::{PgConnection, PgPool, Postgres, QueryBuilder};
use uuid::Uuid;

use crate::{
    assignments, chats, groups, messages, persons,
    tagging_events::{self, Of},
    taggings, tags, unavailable, users,
    views::{
        AssignmentEventView, AssignmentView, ChatFilter, ChatTaggingView, ChatView, GroupView, HistoryFilter,
        MessageFilter, MessageTaggingView, MessageView, Page, PageRequest, PersonView, TagView, TaggingEventView,
        UserView,
    },
};

pub(crate) type Answer<T> = Result<T, Unavailable>;

/// Answers the questions of the APIs from the read models. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Inbox {
    pool: PgPool,
}

/// The user who asks: what it may do, and how it is shown.
#[derive(Clone, Debug)]
pub struct Caller {
    /// What it may do at this moment.
    pub actor: Actor,
    /// How it is shown; tells whether it is active.
    pub user: Arc<UserView>,
}

impl Inbox {
    /// An inbox over a pool.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// The user with what it may do at this moment, inactive users too. One round trip.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn caller(&self, tenant: TenantId, user: UserId) -> Answer<Option<Caller>> {
        self.ask(tenant, async |db| {
            let user = users::user(db, tenant, user).await?;
            Ok(user.map(|user| Caller { actor: users::actor(&user), user }))
        })
        .await
    }

    /// Some users with what they may do at this moment, inactive users too. One question for all.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn callers(&self, tenant: TenantId, users: &[UserId]) -> Answer<HashMap<UserId, Caller>> {
        let ids: Vec<i64> = users.iter().map(|user| user.0).collect();
        self.ask(tenant, async |db| {
            let users = users::users_by_id(db, tenant, &ids).await?.into_values();
            Ok(users.map(|user| (user.id, Caller { actor: users::actor(&user), user })).collect())
        })
        .await
    }

    /// The users whose access has not ended, by id.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn users(&self, tenant: TenantId, part: PageRequest) -> Answer<Page<UserView>> {
        self.ask(tenant, async |db| users::users(db, tenant, part).await).await
    }

    /// A user, whatever its state.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn user(&self, tenant: TenantId, user: UserId) -> Answer<Option<UserView>> {
        self.ask(tenant, async |db| Ok(users::user(db, tenant, user).await?.map(Arc::unwrap_or_clone))).await
    }

    /// The groups, by id.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn groups(&self, tenant: TenantId, part: PageRequest) -> Answer<Page<GroupView>> {
        self.ask(tenant, async |db| groups::groups(db, tenant, part).await).await
    }

    /// The tags, by id.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn tags(&self, tenant: TenantId, part: PageRequest) -> Answer<Page<TagView>> {
        self.ask(tenant, async |db| tags::tags(db, tenant, part).await).await
    }

    /// A tag.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn tag(&self, tenant: TenantId, tag: TagId) -> Answer<Option<TagView>> {
        self.ask(tenant, async |db| tags::tag(db, tenant, tag).await).await
    }

    /// The readable chats (R-CHAT-1 … R-CHAT-5).
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn chats(
        &self,
        tenant: TenantId,
        actor: &Actor,
        filter: &ChatFilter,
        part: PageRequest,
    ) -> Answer<Page<ChatView>> {
        self.ask(tenant, async |db| chats::chats(db, tenant, actor, filter, part).await).await
    }

    /// A readable chat.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn chat(&self, tenant: TenantId, actor: &Actor, wa_id: &WaId) -> Answer<Option<ChatView>> {
        self.ask(tenant, async |db| chats::chat(db, tenant, actor, wa_id).await).await
    }

    /// The messages of readable chats (R-MSG-1 … R-MSG-3).
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn messages(
        &self,
        tenant: TenantId,
        actor: &Actor,
        filter: &MessageFilter,
        part: PageRequest,
    ) -> Answer<Page<MessageView>> {
        self.ask(tenant, async |db| {
            let (count, rows) = messages::messages(&mut *db, tenant, actor, filter, part).await?;
            let rows = messages::hydrate(db, tenant, actor.user, rows, &[], &[]).await?.messages;
            Ok(Page { count, rows })
        })
        .await
    }

    /// A message of a readable chat, by our id or WhatsApp's.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn message(&self, tenant: TenantId, actor: &Actor, id: &str) -> Answer<Option<MessageView>> {
        self.ask(tenant, async |db| {
            let row = messages::message(&mut *db, tenant, actor, id).await?;
            let rows = row.into_iter().collect();
            Ok(messages::hydrate(db, tenant, actor.user, rows, &[], &[]).await?.messages.pop())
        })
        .await
    }

    /// The persons of readable chats, by name.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn persons(
        &self,
        tenant: TenantId,
        actor: &Actor,
        search: Option<&str>,
        part: PageRequest,
    ) -> Answer<Page<PersonView>> {
        self.ask(tenant, async |db| persons::persons(db, tenant, actor, search, None, part).await).await
    }

    /// The person of a readable chat.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn person(&self, tenant: TenantId, actor: &Actor, wa_id: &WaId) -> Answer<Option<PersonView>> {
        let part = PageRequest { limit: 1, offset: 0 };
        self.ask(tenant, async |db| Ok(persons::persons(db, tenant, actor, None, Some(wa_id), part).await?.rows.pop()))
            .await
    }

    /// A chat's assignment, and whether the actor may read the chat (R-PERM-8).
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn assignment(
        &self,
        tenant: TenantId,
        actor: &Actor,
        wa_id: &WaId,
    ) -> Answer<Option<(AssignmentView, bool)>> {
        self.ask(tenant, async |db| chats::assignment(db, tenant, actor, wa_id).await).await
    }

    /// The assignment history of readable chats, newest first.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn assignment_events(
        &self,
        tenant: TenantId,
        actor: &Actor,
        filter: &HistoryFilter,
        part: PageRequest,
    ) -> Answer<Page<AssignmentEventView>> {
        self.ask(tenant, async |db| match Selected::of(&mut *db, tenant, filter).await? {
            Some(Selected { filter, .. }) => assignments::events(db, tenant, actor, &filter, part).await,
            None => Ok(Page { count: 0, rows: Vec::new() }),
        })
        .await
    }

    /// A standing tagging of a readable chat.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn chat_tagging(
        &self,
        tenant: TenantId,
        actor: &Actor,
        id: TaggingId,
    ) -> Answer<Option<ChatTaggingView>> {
        self.ask(tenant, async |db| taggings::chat_tagging(db, tenant, actor, id).await).await
    }

    /// A standing tagging of a message in a readable chat.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn message_tagging(
        &self,
        tenant: TenantId,
        actor: &Actor,
        id: TaggingId,
    ) -> Answer<Option<MessageTaggingView>> {
        self.ask(tenant, async |db| taggings::message_tagging(db, tenant, actor, id).await).await
    }

    /// The tagging history of readable chats, newest first.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn chat_tagging_events(
        &self,
        tenant: TenantId,
        actor: &Actor,
        filter: &HistoryFilter,
        part: PageRequest,
    ) -> Answer<Page<TaggingEventView>> {
        self.tagging_events(tenant, actor, Of::Chats, filter, part).await
    }

    /// The tagging history of messages in readable chats, newest first.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn message_tagging_events(
        &self,
        tenant: TenantId,
        actor: &Actor,
        filter: &HistoryFilter,
        part: PageRequest,
    ) -> Answer<Page<TaggingEventView>> {
        self.tagging_events(tenant, actor, Of::Messages, filter, part).await
    }

    async fn tagging_events(
        &self,
        tenant: TenantId,
        actor: &Actor,
        of: Of,
        filter: &HistoryFilter,
        part: PageRequest,
    ) -> Answer<Page<TaggingEventView>> {
        self.ask(tenant, async |db| match Selected::of(&mut *db, tenant, filter).await? {
            Some(Selected { filter, message }) => {
                tagging_events::events(db, tenant, actor, of, &filter, message.filter(|_| of == Of::Messages), part)
                    .await
            }
            None => Ok(Page { count: 0, rows: Vec::new() }),
        })
        .await
    }

    /// Asks as a reader who sees this tenant only, whatever the question's SQL forgets.
    pub(crate) async fn ask<T>(
        &self,
        tenant: TenantId,
        question: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> Answer<T> {
        let mut db = self.pool.acquire().await.map_err(unavailable)?;
        let seen = sqlx::query("SELECT set_config('chatledger.tenant', $1, false)").bind(tenant.0.to_string());
        seen.execute(&mut *db).await.map_err(unavailable)?;
        question(&mut db).await.map_err(unavailable)
    }
}

/// A history's filter with the named message looked up: its chat narrows the filter.
struct Selected {
    filter: HistoryFilter,
    message: Option<Uuid>,
}

impl Selected {
    /// `None` when nothing can match.
    async fn of(db: &mut PgConnection, tenant: TenantId, filter: &HistoryFilter) -> Result<Option<Self>, sqlx::Error> {
        let mut filter = filter.clone();
        let Some(id) = filter.message.take() else { return Ok(Some(Self { filter, message: None })) };
        let Some(found) = messages::message_ref(db, tenant, &id).await? else { return Ok(None) };
        if filter.wa_id.get_or_insert_with(|| found.wa_id.clone()) != &found.wa_id {
            return Ok(None);
        }
        Ok(Some(Self { filter, message: Some(found.message_id.0) }))
    }
}

/// Whether the actor may read every chat.
pub(crate) fn reads_all(actor: &Actor) -> bool {
    actor.permissions.can_read_chats == Scope::All
}

/// Appends that the actor may read the chat `c` (R-PERM-5, R-PERM-7); nothing where it may read every chat.
pub(crate) fn only_readable(sql: &mut QueryBuilder<'_, Postgres>, actor: &Actor) {
    match actor.permissions.can_read_chats {
        Scope::All => {}
        Scope::Group => {
            sql.push(" AND (c.assigned_user = ").push_bind(actor.user.0);
            sql.push(" OR c.assigned_group = ANY(");
            sql.push_bind(actor.groups.iter().map(|group| group.0).collect::<Vec<_>>()).push("))");
        }
        Scope::User => {
            sql.push(" AND c.assigned_user = ").push_bind(actor.user.0);
        }
        Scope::None => {
            sql.push(" AND false");
        }
    }
}

/// Appends a history's filter of the entries `e`.
pub(crate) fn in_history(sql: &mut QueryBuilder<'_, Postgres>, filter: &HistoryFilter) {
    if let Some(wa_id) = &filter.wa_id {
        sql.push(" AND e.wa_id = ").push_bind(wa_id.as_str().to_owned());
    }
    if let Some(since) = filter.since {
        sql.push(" AND e.timestamp >= ").push_bind(since);
    }
    if let Some(before) = filter.before {
        sql.push(" AND e.timestamp < ").push_bind(before);
    }
}

/// How many rows a read model has.
pub(crate) async fn counted(db: &mut PgConnection, tenant: TenantId, name: &str) -> Result<i64, sqlx::Error> {
    let sql = "SELECT value FROM read_models.counters WHERE tenant_id = $1 AND projection = $2";
    Ok(sqlx::query_scalar(sql).bind(tenant.0).bind(name).fetch_optional(db).await?.unwrap_or_default())
}

/// A stored JSON text.
pub(crate) fn raw_json(text: String) -> Result<RawJson, sqlx::Error> {
    RawJson::parse(text).map_err(|error| sqlx::Error::Decode(error.into()))
}

/// A stored WhatsApp id.
pub(crate) fn wa_id(text: &str) -> Result<WaId, sqlx::Error> {
    WaId::parse(text).map_err(|error| sqlx::Error::Decode(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_send<T: Send>(_: &T) {}

    /// Handlers run on many threads: what they await must be able to move between them.
    #[test]
    fn answers_can_move_between_threads() {
        let ask = |inbox: &Inbox, actor: &Actor, tenant: TenantId| {
            let part = PageRequest { limit: 1, offset: 0 };
            is_send(&inbox.chats(tenant, actor, &ChatFilter::default(), part));
            is_send(&inbox.caller(tenant, UserId(1)));
            is_send(&inbox.message(tenant, actor, ""));
            is_send(&inbox.message_tagging_events(tenant, actor, &HistoryFilter::default(), part));
        };
        let _ = ask;
    }
}
