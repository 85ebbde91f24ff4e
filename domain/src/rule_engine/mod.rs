//! The rule engine of an inbox: who decides on assignments, and by which rules (R-RUL-*).

mod command;
mod decide;
mod event;
mod refusal;
mod state;
#[cfg(test)]
mod tests;

pub use command::RuleEngineCommand;
pub use event::{RuleAdded, RuleChanged, RuleDeleted, RuleEngineConfigured, RuleEngineEvent};
pub use refusal::RuleEngineRefusal;
pub use state::{AssignMethod, Mode, Rule, RuleEngine, Target};
