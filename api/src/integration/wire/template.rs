//! Message templates.

use chatledger_domain::RawJson;
use chatledger_projections::views;
use serde::Serialize;
use utoipa::ToSchema;

/// A message template in one language.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "name": "order_update", "category": "UTILITY", "language": "en_US",
    "components": [{"type": "BODY", "text": "Hi {{1}}, order {{2}} is on its way."}],
    "namespace": "c8ae_5a1b", "rejected_reason": "NONE", "status": "approved"
}))]
pub struct Template<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its category.
    pub category: &'a str,
    /// Its language.
    pub language: &'a str,
    /// Header, body, footer and buttons, as WhatsApp writes them.
    #[schema(value_type = Vec<Object>)]
    pub components: &'a RawJson,
    /// The namespace that on-premises senders name; may be empty.
    pub namespace: &'a str,
    /// Why it was rejected; `NONE` when it was not.
    pub rejected_reason: &'a str,
    /// `approved`, `pending`, `rejected` …; only an approved one can be sent.
    pub status: &'a str,
}

impl<'a> Template<'a> {
    /// As the wire shows it.
    #[must_use]
    pub fn new(view: &'a views::TemplateView) -> Self {
        Self {
            name: &view.name,
            category: &view.category,
            language: &view.language,
            components: &view.components,
            namespace: &view.namespace,
            rejected_reason: &view.rejected_reason,
            status: &view.status,
        }
    }
}
