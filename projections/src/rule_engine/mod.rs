//! Read model `rule_engine`: who decides on assignments, and the rules.

mod apply;
mod query;
mod view;

pub(crate) use apply::RuleEngines;
pub use view::{RuleEngineView, RuleView};
