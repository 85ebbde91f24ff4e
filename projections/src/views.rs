//! What the queries answer: the read models as plain values, free of any API's wire names.

use std::sync::Arc;

pub use crate::templates::TemplateView;
use chatledger_domain::{GroupId, MessageId, Permissions, RawJson, Role, TagId, TaggingId, UserId, WaId};

pub use crate::{
    api_tokens::ApiTokenView,
    bulk_messages::{BulkElementView, BulkFilter, BulkMessageView},
    customers::{CustomerFilter, CustomerProfileView, CustomerView},
    measures::{ConversationMeasures, MessageCount, Span, Step},
    rule_engine::{RuleEngineView, RuleView},
    saved_responses::SavedResponseView,
    webhooks::{DisabledView, WebhookView},
};

/// A part of a list, and how long the whole list is.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// All rows that match, whatever the part.
    pub count: i64,
    /// The rows of this part.
    pub rows: Vec<T>,
}

/// Which part of a list.
#[derive(Clone, Copy, Debug)]
pub struct PageRequest {
    /// At most so many rows.
    pub limit: i64,
    /// After so many.
    pub offset: i64,
}

impl PageRequest {
    /// How many rows there are up to its end.
    #[must_use]
    pub fn end(self) -> i64 {
        self.limit.saturating_add(self.offset)
    }

    /// How many of `rows` are looked at until the part is full, where `wanted` of them are and lie among the others evenly.
    #[must_use]
    pub fn until_full(self, rows: i64, wanted: i64) -> i64 {
        rows.min(rows.saturating_mul(self.end()) / wanted.max(1))
    }

    /// How long a list is whose part has so many rows, where that tells: the part is not full.
    #[must_use]
    pub fn ends_with(self, rows: usize) -> Option<i64> {
        let rows = i64::try_from(rows).ok()?;
        let is_last = rows < self.limit && (rows > 0 || self.offset == 0);
        is_last.then_some(self.offset + rows)
    }
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupView {
    /// Its id.
    pub id: GroupId,
    /// Its name.
    pub name: String,
    /// What its members may do.
    pub permissions: Permissions,
    /// The role it gives, for the three built-in groups.
    pub built_in: Option<Role>,
}

/// A user, with what it may do in effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserView {
    /// Its id.
    pub id: UserId,
    /// Its name for logging in.
    pub username: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Address.
    pub email: String,
    /// Its role.
    pub role: Role,
    /// Whether it may act.
    pub is_active: bool,
    /// Whether it takes chats.
    pub is_available: bool,
    /// Its groups, by id.
    pub groups: Vec<GroupView>,
    /// What it may do in effect.
    pub permissions: Permissions,
}

/// A tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagView {
    /// Its id.
    pub id: TagId,
    /// Its name.
    pub name: String,
    /// Its colour.
    pub web_inbox_color: Option<String>,
}

/// A tag on a chat or message.
#[derive(Clone, Debug, PartialEq)]
pub struct AppliedTag {
    /// The tag.
    pub tag: TagView,
    /// The tagging.
    pub tagging_id: TaggingId,
    /// What is kept with it.
    pub extra: Option<RawJson>,
}

/// A customer as a person.
#[derive(Clone, Debug, PartialEq)]
pub struct PersonView {
    /// Its id.
    pub wa_id: WaId,
    /// WhatsApp's contact object; `{"profile":{"name":…},"wa_id":…}` where WhatsApp showed none.
    pub profile: RawJson,
    /// Its name; empty when unknown.
    pub name: String,
    /// First letters of first and last word of the name, else the first character of `wa_id`.
    pub initials: String,
    /// The newest message that it sent, POSIX seconds.
    pub last_message_timestamp: Option<i64>,
    /// When the 24-hour window closes, the tenant's settings considered.
    pub window_closes_at: Option<i64>,
    /// Whether the chat is resolved.
    pub resolved: bool,
}

/// What a message quotes.
#[derive(Clone, Debug, PartialEq)]
pub enum ContextView {
    /// A message that we hold, without its own context.
    Message(Box<MessageView>),
    /// One that we do not.
    Reference {
        /// The id as the quoting message names it.
        id: String,
        /// Its writer, where the quoting message tells.
        from: Option<String>,
    },
}

/// A message as one user sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct MessageView {
    /// Our id.
    pub message_id: MessageId,
    /// WhatsApp's id, once it has one.
    pub waba_id: Option<String>,
    /// Its chat.
    pub wa_id: WaId,
    /// POSIX seconds.
    pub timestamp: i64,
    /// Whether it came from this side.
    pub from_us: bool,
    /// WhatsApp's type.
    pub kind: String,
    /// Incoming: WhatsApp's object, unchanged. Ours: what WhatsApp was asked to send, without `id` and `timestamp`.
    pub payload: RawJson,
    /// Errors of a failure, a JSON list.
    pub errors: Option<RawJson>,
    /// When each status was first reported, POSIX seconds; 0 for never.
    pub sent: i64,
    /// See `sent`.
    pub delivered: i64,
    /// See `sent`.
    pub read: i64,
    /// Whether it failed.
    pub is_failed: bool,
    /// Who sent it; `None` for the customer's and for echoes of the phone app.
    pub sender: Option<Arc<UserView>>,
    /// The customer.
    pub person: Arc<PersonView>,
    /// Whether the asking user has received it (R-RCV-1).
    pub received: bool,
    /// What it quotes.
    pub context: Option<ContextView>,
    /// Its tags.
    pub tags: Vec<AppliedTag>,
    /// Its chat's tags.
    pub chat_tags: Vec<AppliedTag>,
}

/// A chat as one user sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct ChatView {
    /// The customer.
    pub person: Arc<PersonView>,
    /// Incoming messages the user has not received (R-CHAT-2).
    pub new_messages: i64,
    /// The newest message by timestamp.
    pub last_message: Option<MessageView>,
    /// Who it is assigned to.
    pub assigned_user: Option<Arc<UserView>>,
    /// The group it is assigned to.
    pub assigned_group: Option<GroupView>,
    /// Its tags.
    pub tags: Vec<AppliedTag>,
}

/// A chat's assignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssignmentView {
    /// The chat.
    pub wa_id: WaId,
    /// The user.
    pub user: Option<UserId>,
    /// The group.
    pub group: Option<GroupId>,
}

/// An assignment change in the history.
#[derive(Clone, Debug, PartialEq)]
pub struct AssignmentEventView {
    /// POSIX seconds.
    pub timestamp: i64,
    /// The chat.
    pub wa_id: WaId,
    /// The user set.
    pub user_set: Option<Arc<UserView>>,
    /// Whether the user became nobody.
    pub user_cleared: bool,
    /// The group set.
    pub group_set: Option<GroupView>,
    /// Whether the group became none.
    pub group_cleared: bool,
    /// Who did it.
    pub done_by: Option<Arc<UserView>>,
}

/// A chat's tagging.
#[derive(Clone, Debug, PartialEq)]
pub struct ChatTaggingView {
    /// Its id.
    pub id: TaggingId,
    /// The tag.
    pub tag: TagId,
    /// The chat.
    pub wa_id: WaId,
    /// What is kept with it.
    pub extra: Option<RawJson>,
}

/// A message's tagging.
#[derive(Clone, Debug, PartialEq)]
pub struct MessageTaggingView {
    /// Its id.
    pub id: TaggingId,
    /// The tag.
    pub tag: TagId,
    /// The message, by our id.
    pub message_id: MessageId,
    /// The message, by WhatsApp's id.
    pub waba_id: Option<String>,
    /// What is kept with it.
    pub extra: Option<RawJson>,
}

/// A tagging or untagging in the history, of a chat or (with the message) of a message.
#[derive(Clone, Debug, PartialEq)]
pub struct TaggingEventView {
    /// POSIX seconds.
    pub timestamp: i64,
    /// Added, else removed.
    pub added: bool,
    /// The tag as it was then.
    pub tag: TagView,
    /// The chat.
    pub wa_id: WaId,
    /// The message: WhatsApp's id, our id while there is none.
    pub message: Option<String>,
    /// What was kept with it.
    pub extra: Option<RawJson>,
    /// Who did it.
    pub done_by: Option<Arc<UserView>>,
}

/// Which chats.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChatFilter {
    /// Substring of name, id, saved names, tag names; trimmed, not empty.
    pub search: Option<String>,
    /// Assigned to the asking user.
    pub assigned_to_me: bool,
    /// Assigned to this group.
    pub assigned_group: Option<GroupId>,
    /// Carrying this tag.
    pub tag: Option<TagId>,
    /// With messages the user has not received; `Some(false)`: without.
    pub unread: Option<bool>,
    /// With a message at or after.
    pub messages_since: Option<i64>,
    /// With a message before.
    pub messages_before: Option<i64>,
}

/// Which messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageFilter {
    /// Of this chat.
    pub wa_id: Option<WaId>,
    /// At or after, POSIX seconds.
    pub since: Option<i64>,
    /// Before, POSIX seconds.
    pub before: Option<i64>,
    /// Substring of what R-MSG-3 lists.
    pub search: Option<String>,
    /// Of chats assigned to the asking user.
    pub assigned_to_me: bool,
    /// Of chats assigned to this group.
    pub assigned_group: Option<GroupId>,
    /// Of chats carrying this tag.
    pub tag: Option<TagId>,
    /// From this side, or from customers.
    pub from_us: Option<bool>,
}

/// Which entries of a history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryFilter {
    /// Of this chat.
    pub wa_id: Option<WaId>,
    /// Of this message: our id or WhatsApp's.
    pub message: Option<String>,
    /// At or after, POSIX seconds.
    pub since: Option<i64>,
    /// Before, POSIX seconds.
    pub before: Option<i64>,
}
