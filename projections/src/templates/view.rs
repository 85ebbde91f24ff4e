//! A template as the list shows it.

use chatledger_domain::RawJson;

/// A message template in one language.
#[derive(Clone, Debug, PartialEq)]
pub struct TemplateView {
    /// Its name.
    pub name: String,
    /// Its category.
    pub category: String,
    /// Its language.
    pub language: String,
    /// Its parts, a list.
    pub components: RawJson,
    /// The namespace that on-premises senders name.
    pub namespace: String,
    /// `NONE` when it was not rejected.
    pub rejected_reason: String,
    /// Lower-case.
    pub status: String,
}
