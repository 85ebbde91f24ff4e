//! Chats and their assignment.

use chatledger_projections::views::{AssignmentView, ChatView};
use serde::Serialize;
use utoipa::ToSchema;

use super::{AppliedTag, Group, Links, Message, Person, User};

/// A chat as the caller sees it.
#[derive(Serialize, ToSchema)]
pub struct Chat<'a> {
    /// The customer.
    pub contact: Person<'a>,
    /// Incoming messages that the caller has not received.
    pub new_messages: i64,
    /// The chat's id.
    pub wa_id: &'a str,
    /// The newest message.
    pub last_message: Option<Message<'a>>,
    /// Who it is assigned to.
    pub assigned_to_user: Option<User<'a>>,
    /// The group it is assigned to.
    pub assigned_group: Option<Group<'a>>,
    /// Its tags.
    pub tags: Vec<AppliedTag<'a>>,
}

impl<'a> Chat<'a> {
    /// As the wire shows it.
    #[must_use]
    pub fn new(view: &'a ChatView, links: &'a Links<'a>) -> Self {
        Self {
            contact: Person::new(&view.person),
            new_messages: view.new_messages,
            wa_id: view.person.wa_id.as_str(),
            last_message: view.last_message.as_ref().map(|message| Message::new(message, links)),
            assigned_to_user: view.assigned_user.as_deref().map(|user| User::new(user, links)),
            assigned_group: view.assigned_group.as_ref().map(Group::new),
            tags: AppliedTag::all(&view.tags),
        }
    }
}

/// A chat's assignment.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"wa_id": "351912000111", "assigned_to_user": 7, "assigned_group": 4}))]
pub struct ChatAssignment<'a> {
    /// The chat.
    pub wa_id: &'a str,
    /// The user.
    pub assigned_to_user: Option<i64>,
    /// The group.
    pub assigned_group: Option<i64>,
}

impl<'a> ChatAssignment<'a> {
    /// As the wire shows it.
    #[must_use]
    pub fn new(view: &'a AssignmentView) -> Self {
        Self {
            wa_id: view.wa_id.as_str(),
            assigned_to_user: view.user.map(|user| user.0),
            assigned_group: view.group.map(|group| group.0),
        }
    }
}
