//! What a tag's decisions need.

use serde::{Deserialize, Serialize};

use super::event::TagEvent;
use crate::ids::{Position, TagId};

/// A tag.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tag {
    /// Its id on the wire; 0 before it is created.
    pub id: TagId,
    /// Its name.
    pub name: String,
    /// Its colour in the Web Inbox.
    pub web_inbox_color: Option<String>,
    /// Whether it exists.
    pub exists: bool,
}

impl Tag {
    pub(super) fn after(&mut self, event: &TagEvent, position: Position) {
        match event {
            TagEvent::TagCreated(e) => {
                *self = Self {
                    id: TagId(position.0),
                    name: e.name.clone(),
                    web_inbox_color: e.web_inbox_color.clone(),
                    exists: true,
                };
            }
            TagEvent::TagChanged(e) => {
                self.name.clone_from(&e.name);
                self.web_inbox_color.clone_from(&e.web_inbox_color);
            }
            TagEvent::TagDeleted(_) => self.exists = false,
        }
    }
}
