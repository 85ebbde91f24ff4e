//! Why a rule engine says no.

/// A broken rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleEngineRefusal {
    /// There is no such rule, or no more.
    #[error("no such rule")]
    UnknownRule,
}
