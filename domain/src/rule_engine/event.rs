//! What can have happened to a rule engine.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Mode, Target};
use crate::{
    decider::Event,
    endpoint::Endpoint,
    ids::{RuleId, TagId, UserId},
    upcast::Members,
};

/// It was said who decides. Carries everything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RuleEngineConfigured {
    /// Who decides.
    pub mode: Mode,
    /// Where the tenant's own engine is.
    pub endpoint: Option<Endpoint>,
    /// Who said so.
    pub done_by: UserId,
}

/// A rule was added; its id is the position of this event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RuleAdded {
    /// The tag that fires it; `None` for a fresh message.
    pub tagged_with: Option<TagId>,
    /// Who gets the chat.
    pub target: Target,
    /// Its place among the rules: the first that matches is applied.
    pub place: i64,
    /// Who added it.
    pub done_by: UserId,
}

/// A rule was set. Carries everything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RuleChanged {
    /// Which.
    pub rule: RuleId,
    /// The tag that fires it from now on.
    pub tagged_with: Option<TagId>,
    /// Who gets the chat from now on.
    pub target: Target,
    /// Its place among the rules: the first that matches is applied.
    pub place: i64,
    /// Who set it.
    pub done_by: UserId,
}

/// A rule was deleted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RuleDeleted {
    /// Which.
    pub rule: RuleId,
    /// Who deleted it.
    pub done_by: UserId,
}

/// Version 1 called a rule's place among the rules its `position`, which everywhere else is an event's place in its
/// ledger.
fn place_for_position(payload: &mut Members) -> Result<(), serde_json::Error> {
    payload.rename("position", "place");
    Ok(())
}

crate::events! {
    /// An event of a rule engine.
    RuleEngineEvent {
        /// Configured.
        RuleEngineConfigured = "RuleEngineConfigured" v "1",
        /// Rule added.
        RuleAdded = "RuleAdded" v "2" from { "1" => place_for_position },
        /// Rule set.
        RuleChanged = "RuleChanged" v "2" from { "1" => place_for_position },
        /// Rule deleted.
        RuleDeleted = "RuleDeleted" v "1",
    }
}

impl Event for RuleEngineEvent {
    crate::stored_event!();
}
