//! Tags and taggings.

use chatledger_domain::RawJson;
use chatledger_projections::views;
use serde::Serialize;
use utoipa::ToSchema;

/// A tag.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": 5, "name": "Agent needed", "web_inbox_color": "#d32f2f"}))]
pub struct Tag<'a> {
    /// Its id.
    pub id: i64,
    /// Its name, unique in the inbox without regard to case.
    pub name: &'a str,
    /// Its colour in the Web Inbox.
    pub web_inbox_color: Option<&'a str>,
}

impl<'a> Tag<'a> {
    /// As the wire shows it.
    #[must_use]
    pub fn new(view: &'a views::TagView) -> Self {
        Self { id: view.id.0, name: &view.name, web_inbox_color: view.web_inbox_color.as_deref() }
    }
}

/// A tag on a chat or message.
#[derive(Debug, Serialize, ToSchema)]
pub struct AppliedTag<'a> {
    /// The tag's name.
    pub name: &'a str,
    /// The tag's colour.
    pub web_inbox_color: Option<&'a str>,
    /// The tagging: what is deleted to remove the tag.
    pub tagging_id: i64,
    /// The tag.
    pub id: i64,
    /// What is kept with it.
    #[schema(value_type = Option<Object>)]
    pub extra: Option<&'a RawJson>,
}

impl<'a> AppliedTag<'a> {
    /// As the wire shows it.
    #[must_use]
    pub fn new(view: &'a views::AppliedTag) -> Self {
        Self {
            name: &view.tag.name,
            web_inbox_color: view.tag.web_inbox_color.as_deref(),
            tagging_id: view.tagging_id.0,
            id: view.tag.id.0,
            extra: view.extra.as_ref(),
        }
    }

    /// Several.
    #[must_use]
    pub fn all(views: &'a [views::AppliedTag]) -> Vec<Self> {
        views.iter().map(Self::new).collect()
    }
}

/// A chat's tagging.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": 918, "tag": 5, "chat": "351912000111", "extra": null}))]
pub struct ChatTagging<'a> {
    /// Its id, never used again.
    pub id: i64,
    /// The tag.
    pub tag: i64,
    /// The chat.
    pub chat: &'a str,
    /// What is kept with it.
    #[schema(value_type = Option<Object>)]
    pub extra: Option<&'a RawJson>,
}

impl<'a> ChatTagging<'a> {
    /// As the wire shows it.
    #[must_use]
    pub fn new(view: &'a views::ChatTaggingView) -> Self {
        Self { id: view.id.0, tag: view.tag.0, chat: view.wa_id.as_str(), extra: view.extra.as_ref() }
    }
}

/// A message's tagging.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": 411, "tag": 5, "message": "wamid.HBgMMzUxOTEyMDAwMTEx", "extra": null}))]
pub struct MessageTagging<'a> {
    /// Its id, never used again.
    pub id: i64,
    /// The tag.
    pub tag: i64,
    /// The message: WhatsApp's id, ours while there is none.
    pub message: String,
    /// What is kept with it.
    #[schema(value_type = Option<Object>)]
    pub extra: Option<&'a RawJson>,
}

impl<'a> MessageTagging<'a> {
    /// As the wire shows it.
    #[must_use]
    pub fn new(view: &'a views::MessageTaggingView) -> Self {
        let message = view.waba_id.clone().unwrap_or_else(|| view.message_id.to_string());
        Self { id: view.id.0, tag: view.tag.0, message, extra: view.extra.as_ref() }
    }
}
