//! What can have happened to a saved response.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{decider::Event, ids::UserId};

/// A response was saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SavedResponseCreated {
    /// Its text.
    pub text: String,
    /// Who saved it.
    pub done_by: UserId,
    /// POSIX seconds.
    pub timestamp: i64,
}

/// A saved response was deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SavedResponseDeleted {
    /// Who deleted it.
    pub done_by: UserId,
}

crate::events! {
    /// An event of a saved response.
    SavedResponseEvent {
        /// Created.
        SavedResponseCreated = "SavedResponseCreated" v "1",
        /// Deleted.
        SavedResponseDeleted = "SavedResponseDeleted" v "1",
    }
}

impl Event for SavedResponseEvent {
    crate::stored_event!();
}
