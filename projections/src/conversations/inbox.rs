//! The questions about conversations that the Service API asks.

use chatledger_domain::{Actor, ConversationId, TenantId, WaId};

use super::{ConversationDetailView, ConversationFilter, ConversationView, query};
use crate::{
    inbox::{Answer, Inbox},
    views::{Page, PageRequest},
};

/// As many messages of a conversation are shown.
const MESSAGES: i64 = 200;

impl Inbox {
    /// The readable conversations as they are at a moment, by their newest message (R-CNV-3).
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn conversations(
        &self,
        tenant: TenantId,
        actor: &Actor,
        filter: ConversationFilter,
        part: PageRequest,
        now: i64,
    ) -> Answer<Page<ConversationView>> {
        self.ask(tenant, async |db| query::conversations(db, tenant, actor, filter, part, now).await).await
    }

    /// A readable conversation with its newest 200 messages.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn conversation(
        &self,
        tenant: TenantId,
        actor: &Actor,
        id: ConversationId,
        now: i64,
    ) -> Answer<Option<ConversationDetailView>> {
        self.ask(tenant, async |db| query::conversation(db, tenant, actor, id, now, MESSAGES).await).await
    }

    /// The same without its messages.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn conversation_alone(
        &self,
        tenant: TenantId,
        actor: &Actor,
        id: ConversationId,
        now: i64,
    ) -> Answer<Option<ConversationView>> {
        let found = self.ask(tenant, async |db| query::conversation(db, tenant, actor, id, now, 0).await).await?;
        Ok(found.map(|detail| detail.conversation))
    }

    /// Whether there is such a conversation, readable or not.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn has_conversation(&self, tenant: TenantId, id: ConversationId) -> Answer<bool> {
        self.ask(tenant, async |db| query::exists(db, tenant, id).await).await
    }

    /// The newest conversation of a chat, readable or not.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn newest_conversation(&self, tenant: TenantId, wa_id: &WaId) -> Answer<Option<ConversationId>> {
        self.ask(tenant, async |db| query::newest_of_chat(db, tenant, wa_id).await).await
    }
}
