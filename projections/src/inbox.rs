//! What the APIs ask of the read models; every answer leaves out what the asking user may not read.

use std::sync::Arc;

use chatledger_application::ports::Unavailable;
use chatledger_domain::{Actor, TagId, TaggingId, TenantId, UserId, WaId};
use sqlx::PgPool;

use crate::views::{
    AssignmentEventView, AssignmentView, ChatFilter, ChatTaggingView, ChatView, GroupView, HistoryFilter,
    MessageFilter, MessageTaggingView, MessageView, Page, PageRequest, PersonView, TagView, TaggingEventView, UserView,
};

type Answer<T> = Result<T, Unavailable>;

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
        let _ = (tenant, &self.pool, user);
        Err(Unavailable::new("the read model", "not built yet"))
    }

    /// The users whose access has not ended, by id.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn users(&self, tenant: TenantId, part: PageRequest) -> Answer<Page<UserView>> {
        let _ = (tenant, &self.pool, part);
        Err(Unavailable::new("the read model", "not built yet"))
    }

    /// A user, whatever its state.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn user(&self, tenant: TenantId, user: UserId) -> Answer<Option<UserView>> {
        let _ = (tenant, &self.pool, user);
        Err(Unavailable::new("the read model", "not built yet"))
    }

    /// The groups, by id.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn groups(&self, tenant: TenantId, part: PageRequest) -> Answer<Page<GroupView>> {
        let _ = (tenant, &self.pool, part);
        Err(Unavailable::new("the read model", "not built yet"))
    }

    /// The tags, by id.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn tags(&self, tenant: TenantId, part: PageRequest) -> Answer<Page<TagView>> {
        let _ = (tenant, &self.pool, part);
        Err(Unavailable::new("the read model", "not built yet"))
    }

    /// A tag.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn tag(&self, tenant: TenantId, tag: TagId) -> Answer<Option<TagView>> {
        let _ = (tenant, &self.pool, tag);
        Err(Unavailable::new("the read model", "not built yet"))
    }

    /// The readable chats (R-CHAT-1 … R-CHAT-5).
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn chats(&self, tenant: TenantId, actor: &Actor, filter: &ChatFilter, part: PageRequest) -> Answer<Page<ChatView>> {
        let _ = (tenant, &self.pool, actor, filter, part);
        Err(Unavailable::new("the read model", "not built yet"))
    }

    /// A readable chat.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn chat(&self, tenant: TenantId, actor: &Actor, wa_id: &WaId) -> Answer<Option<ChatView>> {
        let _ = (tenant, &self.pool, actor, wa_id);
        Err(Unavailable::new("the read model", "not built yet"))
    }

    /// The messages of readable chats (R-MSG-1 … R-MSG-3).
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn messages(&self, tenant: TenantId, actor: &Actor, filter: &MessageFilter, part: PageRequest) -> Answer<Page<MessageView>> {
        let _ = (tenant, &self.pool, actor, filter, part);
        Err(Unavailable::new("the read model", "not built yet"))
    }

    /// A message of a readable chat, by our id or WhatsApp's.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn message(&self, tenant: TenantId, actor: &Actor, id: &str) -> Answer<Option<MessageView>> {
        let _ = (tenant, &self.pool, actor, id);
        Err(Unavailable::new("the read model", "not built yet"))
    }

    /// The persons of readable chats, by name.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn persons(&self, tenant: TenantId, actor: &Actor, search: Option<&str>, part: PageRequest) -> Answer<Page<PersonView>> {
        let _ = (tenant, &self.pool, actor, search, part);
        Err(Unavailable::new("the read model", "not built yet"))
    }

    /// The person of a readable chat.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn person(&self, tenant: TenantId, actor: &Actor, wa_id: &WaId) -> Answer<Option<PersonView>> {
        let _ = (tenant, &self.pool, actor, wa_id);
        Err(Unavailable::new("the read model", "not built yet"))
    }

    /// A chat's assignment, and whether the actor may read the chat (R-PERM-8).
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn assignment(&self, tenant: TenantId, actor: &Actor, wa_id: &WaId) -> Answer<Option<(AssignmentView, bool)>> {
        let _ = (tenant, &self.pool, actor, wa_id);
        Err(Unavailable::new("the read model", "not built yet"))
    }

    /// The assignment history of readable chats, newest first.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn assignment_events(&self, tenant: TenantId, actor: &Actor, filter: &HistoryFilter, part: PageRequest) -> Answer<Page<AssignmentEventView>> {
        let _ = (tenant, &self.pool, actor, filter, part);
        Err(Unavailable::new("the read model", "not built yet"))
    }

    /// A standing tagging of a readable chat.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn chat_tagging(&self, tenant: TenantId, actor: &Actor, id: TaggingId) -> Answer<Option<ChatTaggingView>> {
        let _ = (tenant, &self.pool, actor, id);
        Err(Unavailable::new("the read model", "not built yet"))
    }

    /// A standing tagging of a message in a readable chat.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn message_tagging(&self, tenant: TenantId, actor: &Actor, id: TaggingId) -> Answer<Option<MessageTaggingView>> {
        let _ = (tenant, &self.pool, actor, id);
        Err(Unavailable::new("the read model", "not built yet"))
    }

    /// The tagging history of readable chats, newest first.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn chat_tagging_events(&self, tenant: TenantId, actor: &Actor, filter: &HistoryFilter, part: PageRequest) -> Answer<Page<TaggingEventView>> {
        let _ = (tenant, &self.pool, actor, filter, part);
        Err(Unavailable::new("the read model", "not built yet"))
    }

    /// The tagging history of messages in readable chats, newest first.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn message_tagging_events(&self, tenant: TenantId, actor: &Actor, filter: &HistoryFilter, part: PageRequest) -> Answer<Page<TaggingEventView>> {
        let _ = (tenant, &self.pool, actor, filter, part);
        Err(Unavailable::new("the read model", "not built yet"))
    }
}
