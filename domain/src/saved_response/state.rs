//! What a saved response's decisions need.

use serde::{Deserialize, Serialize};

use super::event::SavedResponseEvent;
use crate::ids::Position;

/// A saved response.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedResponse {
    /// Its id on the wire: the position of its `SavedResponseCreated`; 0 before.
    pub id: i64,
    /// Whether it exists.
    pub exists: bool,
}

impl SavedResponse {
    pub(super) fn after(&mut self, event: &SavedResponseEvent, position: Position) {
        match event {
            SavedResponseEvent::SavedResponseCreated(_) => *self = Self { id: position.0, exists: true },
            SavedResponseEvent::SavedResponseDeleted(_) => self.exists = false,
        }
    }
}
