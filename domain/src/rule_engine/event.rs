//! What can have happened to a rule engine.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Mode, Target};
use crate::{
    decider::Event,
    endpoint::Endpoint,
    ids::{RuleId, TagId, UserId},
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
    /// Its place among the rules.
    pub position: i64,
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
    /// Its place among the rules.
    pub position: i64,
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

crate::events! {
    /// An event of a rule engine.
    RuleEngineEvent {
        /// Configured.
        RuleEngineConfigured = "RuleEngineConfigured" v "1",
        /// Rule added.
        RuleAdded = "RuleAdded" v "1",
        /// Rule set.
        RuleChanged = "RuleChanged" v "1",
        /// Rule deleted.
        RuleDeleted = "RuleDeleted" v "1",
    }
}

impl Event for RuleEngineEvent {
    crate::stored_event!();
}
