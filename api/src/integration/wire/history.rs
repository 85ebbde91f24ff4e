//! Entries of the three histories.

use chatledger_domain::RawJson;
use chatledger_projections::views::{AssignmentEventView, TaggingEventView};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Group, Links, Tag, User};

/// A change of a chat's assignment.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChatAssignmentEvent<'a> {
    /// When, POSIX seconds.
    pub timestamp: i64,
    /// The chat.
    pub wa_id: &'a str,
    /// The user set.
    pub assigned_to_user_set: Option<User<'a>>,
    /// Whether the user became nobody.
    pub assigned_to_user_was_cleared: bool,
    /// The group set.
    pub assigned_group_set: Option<Group<'a>>,
    /// Whether the group became none.
    pub assigned_group_was_cleared: bool,
    /// Who did it; `null` for the rule engine and the system.
    pub done_by: Option<User<'a>>,
}

impl<'a> ChatAssignmentEvent<'a> {
    /// As the wire shows it.
    #[must_use]
    pub fn new(view: &'a AssignmentEventView, links: &Links<'_>) -> Self {
        Self {
            timestamp: view.timestamp,
            wa_id: view.wa_id.as_str(),
            assigned_to_user_set: view.user_set.as_deref().map(|user| User::new(user, links)),
            assigned_to_user_was_cleared: view.user_cleared,
            assigned_group_set: view.group_set.as_ref().map(Group::new),
            assigned_group_was_cleared: view.group_cleared,
            done_by: view.done_by.as_deref().map(|user| User::new(user, links)),
        }
    }
}

fn action(added: bool) -> &'static str {
    if added { "added" } else { "removed" }
}

/// A tag put on a chat or taken off.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChatTaggingEvent<'a> {
    /// When, POSIX seconds.
    pub timestamp: i64,
    /// `added` or `removed`.
    pub action: &'static str,
    /// The tag as it was then.
    pub tag: Tag<'a>,
    /// The chat.
    pub chat: &'a str,
    /// What was kept with it.
    #[schema(value_type = Option<Object>)]
    pub extra: Option<&'a RawJson>,
    /// Who did it.
    pub done_by: Option<User<'a>>,
}

impl<'a> ChatTaggingEvent<'a> {
    /// As the wire shows it.
    #[must_use]
    pub fn new(view: &'a TaggingEventView, links: &Links<'_>) -> Self {
        Self {
            timestamp: view.timestamp,
            action: action(view.added),
            tag: Tag::new(&view.tag),
            chat: view.wa_id.as_str(),
            extra: view.extra.as_ref(),
            done_by: view.done_by.as_deref().map(|user| User::new(user, links)),
        }
    }
}

/// A tag put on a message or taken off.
#[derive(Debug, Serialize, ToSchema)]
pub struct MessageTaggingEvent<'a> {
    /// When, POSIX seconds.
    pub timestamp: i64,
    /// `added` or `removed`.
    pub action: &'static str,
    /// The tag as it was then.
    pub tag: Tag<'a>,
    /// The message: WhatsApp's id, ours while there is none.
    pub message: &'a str,
    /// What was kept with it.
    #[schema(value_type = Option<Object>)]
    pub extra: Option<&'a RawJson>,
    /// Who did it.
    pub done_by: Option<User<'a>>,
}

impl<'a> MessageTaggingEvent<'a> {
    /// As the wire shows it.
    #[must_use]
    pub fn new(view: &'a TaggingEventView, links: &Links<'_>) -> Self {
        Self {
            timestamp: view.timestamp,
            action: action(view.added),
            tag: Tag::new(&view.tag),
            message: view.message.as_deref().unwrap_or_default(),
            extra: view.extra.as_ref(),
            done_by: view.done_by.as_deref().map(|user| User::new(user, links)),
        }
    }
}
