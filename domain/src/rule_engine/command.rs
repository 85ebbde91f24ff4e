//! What may be asked of a rule engine.

use super::{Mode, Target};
use crate::{
    endpoint::Endpoint,
    ids::{RuleId, TagId, UserId},
};

/// A command to the rule engine.
#[derive(Clone, Debug)]
pub enum RuleEngineCommand {
    /// Says who decides.
    Configure {
        /// Who.
        mode: Mode,
        /// Where the tenant's own engine is.
        endpoint: Option<Endpoint>,
        /// Who says so.
        done_by: UserId,
    },
    /// Adds a rule.
    AddRule {
        /// The tag that fires it; `None` for a fresh message.
        tagged_with: Option<TagId>,
        /// Who gets the chat.
        target: Target,
        /// Its place among the rules; `None` for the last.
        place: Option<i64>,
        /// Who adds it.
        done_by: UserId,
    },
    /// Sets a rule.
    ChangeRule {
        /// Which.
        rule: RuleId,
        /// The tag that fires it.
        tagged_with: Option<TagId>,
        /// Who gets the chat.
        target: Target,
        /// Its place among the rules; `None` leaves it.
        place: Option<i64>,
        /// Who sets it.
        done_by: UserId,
    },
    /// Deletes a rule.
    DeleteRule {
        /// Which.
        rule: RuleId,
        /// Who deletes it.
        done_by: UserId,
    },
}
