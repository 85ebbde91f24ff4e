//! The rules of rule engines.

use super::{
    Rule, RuleAdded, RuleChanged, RuleDeleted, RuleEngine, RuleEngineCommand, RuleEngineConfigured, RuleEngineEvent,
    RuleEngineRefusal,
};
use crate::{
    decider::Decider,
    ids::{Position, RuleId},
};

impl Decider for RuleEngine {
    const TYPE: &'static str = "RuleEngine";
    type Command = RuleEngineCommand;
    type Event = RuleEngineEvent;
    type Refusal = RuleEngineRefusal;

    fn decide(&self, command: RuleEngineCommand) -> Result<Vec<RuleEngineEvent>, RuleEngineRefusal> {
        match command {
            RuleEngineCommand::Configure { mode, endpoint, .. } if mode == self.mode && endpoint == self.endpoint => {
                Ok(Vec::new())
            }
            RuleEngineCommand::Configure { mode, endpoint, done_by } => {
                Ok(vec![RuleEngineConfigured { mode, endpoint, done_by }.into()])
            }
            RuleEngineCommand::AddRule { tagged_with, target, place, done_by } => {
                let place = place.unwrap_or_else(|| self.last_place().saturating_add(1));
                Ok(vec![RuleAdded { tagged_with, target, place, done_by }.into()])
            }
            RuleEngineCommand::ChangeRule { rule, tagged_with, target, place, done_by } => {
                let before = self.rule(rule)?;
                let place = place.unwrap_or(before.place);
                if before == (Rule { tagged_with, target, place }) {
                    return Ok(Vec::new());
                }
                Ok(vec![RuleChanged { rule, tagged_with, target, place, done_by }.into()])
            }
            RuleEngineCommand::DeleteRule { rule, done_by } => {
                self.rule(rule)?;
                Ok(vec![RuleDeleted { rule, done_by }.into()])
            }
        }
    }

    fn evolve(&mut self, event: &RuleEngineEvent, position: Position) {
        self.after(event, position);
    }
}

impl RuleEngine {
    fn rule(&self, id: RuleId) -> Result<Rule, RuleEngineRefusal> {
        self.rules.get(&id).copied().ok_or(RuleEngineRefusal::UnknownRule)
    }

    fn last_place(&self) -> i64 {
        self.rules.values().map(|rule| rule.place).max().unwrap_or_default()
    }
}
