//! Who decides on assignments, and by which rules.

mod configure;
mod rules;

pub use rules::NewRule;

/// The one stream of a tenant's rule engine.
pub(crate) const RULE_ENGINE: &str = "rule_engine";
