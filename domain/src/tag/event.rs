//! What can have happened to a tag.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    decider::{Claim, Event},
    ids::UserId,
};

/// A tag was created.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TagCreated {
    /// Its name.
    pub name: String,
    /// Its colour in the Web Inbox.
    pub web_inbox_color: Option<String>,
    /// Who created it.
    pub done_by: UserId,
}

/// A tag's name or colour changed. Carries both, and the name before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TagChanged {
    /// The name from now on.
    pub name: String,
    /// The name until now.
    pub previous_name: String,
    /// The colour from now on.
    pub web_inbox_color: Option<String>,
    /// Who changed it.
    pub done_by: UserId,
}

/// A tag was deleted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TagDeleted {
    /// The name it had.
    pub name: String,
    /// Who deleted it.
    pub done_by: UserId,
}

crate::events! {
    /// An event of a tag.
    TagEvent {
        /// Created.
        TagCreated = "TagCreated" v "1",
        /// Changed.
        TagChanged = "TagChanged" v "1",
        /// Deleted.
        TagDeleted = "TagDeleted" v "1",
    }
}

/// The claim of a tag's name, without regard to case (R-TAG-9).
#[must_use]
pub fn name_claim(name: &str) -> String {
    format!("tag:{}", name.to_lowercase())
}

impl Event for TagEvent {
    crate::stored_event!();

    fn claims(&self) -> Vec<Claim> {
        match self {
            Self::TagCreated(e) => vec![Claim::Take(name_claim(&e.name))],
            Self::TagChanged(e) if name_claim(&e.name) == name_claim(&e.previous_name) => Vec::new(),
            Self::TagChanged(e) => {
                vec![Claim::Release(name_claim(&e.previous_name)), Claim::Take(name_claim(&e.name))]
            }
            Self::TagDeleted(e) => vec![Claim::Release(name_claim(&e.name))],
        }
    }
}
