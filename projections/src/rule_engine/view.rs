//! What the queries answer.

use chatledger_domain::{GroupId, RuleId, SecretId, TagId, UserId};

/// Who decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleEngineView {
    /// `default` or `custom`.
    pub mode: String,
    /// Where the vault keeps address and headers, where there are any.
    pub secret: Option<SecretId>,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleView {
    /// Its id.
    pub id: RuleId,
    /// The tag that fires it; `None` for a fresh message.
    pub tagged_with: Option<TagId>,
    /// The user who gets the chat.
    pub assign_to_user: Option<UserId>,
    /// The group that gets the chat.
    pub assign_to_group: Option<GroupId>,
    /// How the group gets it.
    pub group_assign_method: Option<String>,
    /// Its place.
    pub place: i64,
}
