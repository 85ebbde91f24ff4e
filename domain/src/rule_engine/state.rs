//! What a rule engine's decisions need.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::event::RuleEngineEvent;
use crate::{
    endpoint::Endpoint,
    ids::{GroupId, Position, RuleId, TagId, UserId},
};

/// Who decides on assignments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The rules kept here.
    #[default]
    Default,
    /// A program of the tenant's own, which is called.
    Custom,
}

impl Mode {
    /// All there are.
    pub const ALL: [Self; 2] = [Self::Default, Self::Custom];

    /// The stored name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Custom => "custom",
        }
    }
}

/// How a group gets a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AssignMethod {
    /// The members take turns.
    RoundRobin,
    /// The members decide.
    LetGroupDecide,
}

impl AssignMethod {
    /// All there are.
    pub const ALL: [Self; 2] = [Self::RoundRobin, Self::LetGroupDecide];

    /// The stored name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RoundRobin => "round_robin",
            Self::LetGroupDecide => "let_group_decide",
        }
    }
}

/// Who gets the chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// A user.
    User(UserId),
    /// A group.
    Group {
        /// Which.
        id: GroupId,
        /// How.
        method: AssignMethod,
    },
}

/// A rule. What it names may be deleted meanwhile; then it never fires, and goes on naming it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// The tag that fires it; `None` for a fresh message (R-RUL-10, R-RUL-11).
    pub tagged_with: Option<TagId>,
    /// Who gets the chat.
    pub target: Target,
    /// Its place: the first that matches is applied (R-RUL-12).
    pub place: i64,
}

/// A rule engine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RuleEngine {
    /// Who decides.
    pub mode: Mode,
    /// Where the tenant's own engine is.
    pub endpoint: Option<Endpoint>,
    /// The rules, by id.
    pub rules: BTreeMap<RuleId, Rule>,
}

impl RuleEngine {
    /// The rules for a tag that was added, or for a fresh message, in the order in which they are tried (R-RUL-12).
    #[must_use]
    pub fn matching(&self, tagged_with: Option<TagId>) -> Vec<(RuleId, Rule)> {
        let rules = self.rules.iter().filter(|(_, rule)| rule.tagged_with == tagged_with);
        let mut rules: Vec<_> = rules.map(|(id, rule)| (*id, *rule)).collect();
        rules.sort_by_key(|(id, rule)| (rule.place, *id));
        rules
    }

    pub(super) fn after(&mut self, event: &RuleEngineEvent, position: Position) {
        match event {
            RuleEngineEvent::RuleEngineConfigured(e) => {
                self.mode = e.mode;
                self.endpoint.clone_from(&e.endpoint);
            }
            RuleEngineEvent::RuleAdded(e) => {
                let rule = Rule { tagged_with: e.tagged_with, target: e.target, place: e.place };
                self.rules.insert(RuleId(position.0), rule);
            }
            RuleEngineEvent::RuleChanged(e) => {
                let rule = Rule { tagged_with: e.tagged_with, target: e.target, place: e.place };
                self.rules.insert(e.rule, rule);
            }
            RuleEngineEvent::RuleDeleted(e) => {
                self.rules.remove(&e.rule);
            }
        }
    }
}
