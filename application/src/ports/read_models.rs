//! The little that use cases ask of the read models.

use std::{collections::HashMap, time::Duration};

use async_trait::async_trait;
use chatledger_domain::{
    Assignment, BlobId, GroupId, MediaId, MessageId, Position, Role, TagId, TaggingId, TenantId, UserId, WaId,
};

use super::Unavailable;

/// A message as use cases need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageRef {
    /// Its chat.
    pub wa_id: WaId,
    /// Our id.
    pub message_id: MessageId,
    /// WhatsApp's id, once it has one.
    pub waba_id: Option<String>,
}

/// What became of a message that was queued.
#[derive(Clone, Debug, PartialEq)]
pub enum Sent {
    /// No answer yet, or the answer got lost.
    Waiting,
    /// WhatsApp took it: its id, and its answer where we have it.
    Accepted(String, Option<String>),
    /// WhatsApp refused it: its errors, JSON.
    Rejected(String),
}

/// A file: uploaded, or sent by a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaRef {
    /// Our id.
    pub id: MediaId,
    /// Where and what it is; `None` while, or because, it is not there.
    pub stored: Option<StoredBlob>,
    /// Whether WhatsApp will never give it to us.
    pub has_failed: bool,
}

/// A file whose bytes are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBlob {
    /// Where its bytes are.
    pub blob: BlobId,
    /// What it is.
    pub mime_type: String,
    /// Bytes.
    pub size: u64,
    /// Of the bytes, in hexadecimal digits.
    pub sha256: String,
    /// The name that its sender gave it.
    pub filename: Option<String>,
}

/// A tagging that still stands: the tagged chat, and the message where it is a message's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandingTagging {
    /// The tagging.
    pub id: TaggingId,
    /// Whether a message is tagged rather than the chat.
    pub of_message: bool,
}

/// A template as the list holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptTemplate {
    /// Its status, lower-case.
    pub status: String,
    /// Its parts, JSON.
    pub components: String,
}

/// The read models, by tenant.
#[async_trait]
pub trait ReadModels: Send + Sync {
    /// Waits until the tenant's live projections have passed the position, or the time is over: whether they have. One
    /// that is thousands of events behind the others, for a release has added it, is not waited for.
    async fn wait_for(&self, tenant: TenantId, position: Position, at_most: Duration) -> bool;
    /// A message by our id or WhatsApp's.
    async fn message(&self, tenant: TenantId, id: &str) -> Result<Option<MessageRef>, Unavailable>;
    /// What became of a message that was queued; `None` when there is no such message.
    async fn sent(&self, tenant: TenantId, message: MessageId) -> Result<Option<Sent>, Unavailable>;
    /// The id of the user with this name, without regard to case.
    async fn user_by_name(&self, tenant: TenantId, username: &str) -> Result<Option<UserId>, Unavailable>;
    /// Some chats that are assigned to a user, at most `limit`.
    async fn chats_of_user(&self, tenant: TenantId, user: UserId, limit: i64) -> Result<Vec<WaId>, Unavailable>;
    /// Some chats that are assigned to a group, at most `limit`.
    async fn chats_of_group(&self, tenant: TenantId, group: GroupId, limit: i64) -> Result<Vec<WaId>, Unavailable>;
    /// Who had some chats right after a position; one that is missing was nobody's. Exact where the read models have
    /// reached the position.
    async fn assignments_at(
        &self,
        tenant: TenantId,
        chats: &[&str],
        position: Position,
    ) -> Result<HashMap<String, Assignment>, Unavailable>;
    /// Users whose access has ended but that chats are assigned to: deactivations that were cut short.
    async fn ended_users_with_chats(&self, tenant: TenantId) -> Result<Vec<UserId>, Unavailable>;
    /// Groups that are deleted but that users are in or chats are assigned to: deletions that were cut short.
    async fn deleted_groups_in_use(&self, tenant: TenantId) -> Result<Vec<GroupId>, Unavailable>;
    /// The users in a group whose access has not ended.
    async fn users_of_group(&self, tenant: TenantId, group: GroupId) -> Result<Vec<UserId>, Unavailable>;
    /// The active users in a group that take chats now, by id (R-RUL-3).
    async fn members_taking_chats(&self, tenant: TenantId, group: GroupId) -> Result<Vec<UserId>, Unavailable>;
    /// The built-in group of each role.
    async fn built_in_groups(&self, tenant: TenantId) -> Result<HashMap<Role, GroupId>, Unavailable>;
    /// The admins that are active.
    async fn active_admins(&self, tenant: TenantId) -> Result<Vec<UserId>, Unavailable>;
    /// Every user, the oldest first, and whether it is an active admin.
    async fn users_by_age(&self, tenant: TenantId) -> Result<Vec<(UserId, bool)>, Unavailable>;
    /// WhatsApp's id of the newest message that the customer sent up to a time, POSIX seconds.
    async fn newest_incoming(&self, tenant: TenantId, wa_id: &WaId, until: i64) -> Result<Option<String>, Unavailable>;
    /// The id of the tag with this name, without regard to case.
    async fn tag_by_name(&self, tenant: TenantId, name: &str) -> Result<Option<TagId>, Unavailable>;
    /// Some taggings with a tag that still stand, at most `limit`.
    async fn taggings_with(
        &self,
        tenant: TenantId,
        tag: TagId,
        limit: i64,
    ) -> Result<Vec<StandingTagging>, Unavailable>;
    /// The template of this name in this language.
    async fn template(&self, tenant: TenantId, name: &str, language: &str)
    -> Result<Option<KeptTemplate>, Unavailable>;
    /// Tags that are deleted but that something still carries: deletions that were cut short.
    async fn deleted_tags_in_use(&self, tenant: TenantId) -> Result<Vec<TagId>, Unavailable>;
    /// A file by our id or WhatsApp's.
    async fn media(&self, tenant: TenantId, id: &str) -> Result<Option<MediaRef>, Unavailable>;
    /// How many bytes the uploads of a tenant fill.
    async fn media_bytes(&self, tenant: TenantId) -> Result<u64, Unavailable>;
}
