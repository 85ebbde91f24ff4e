//! Who decides on assignments, by which rules, and what comes of it.
//!
//! [`Triggers`] finds in the pushes what calls the engine; the rules kept here decide in `decide.rs`, what a program of
//! the tenant's own answered is read in `answer.rs`, and both are carried out in `assign.rs`.

mod answer;
mod assign;
mod configure;
mod decide;
mod rules;
#[cfg(test)]
mod tests;
mod triggers;

pub use assign::Wanted;
pub use rules::NewRule;
pub use triggers::{Kind, Trigger, TriggeredChat, Triggers};

/// The one stream of a tenant's rule engine.
pub(crate) const RULE_ENGINE: &str = "rule_engine";
