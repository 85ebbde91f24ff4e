//! What can have happened to templates.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{decider::Event, ids::UserId, raw_json::RawJson};

/// A template as WhatsApp tells it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Template {
    /// Its name, shared by its languages.
    pub name: String,
    /// Its language.
    pub language: String,
    /// WhatsApp's id of it, where WhatsApp tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its category.
    pub category: String,
    /// Its parts, a list of objects, as WhatsApp writes them.
    pub components: RawJson,
    /// The namespace that on-premises senders name; may be empty.
    pub namespace: String,
    /// Why it was rejected; `NONE` when it was not.
    pub rejected_reason: String,
    /// `approved`, `pending`, `rejected` …; lower-case.
    pub status: String,
}

/// A user created a template, and WhatsApp took it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TemplateCreated {
    /// The template.
    pub template: Template,
    /// Who created it.
    pub done_by: UserId,
}

/// WhatsApp's list holds a template that was not known, or not so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TemplateSeen {
    /// The template from now on.
    pub template: Template,
}

/// WhatsApp decided on a template.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TemplateStatusChanged {
    /// The template's name.
    pub name: String,
    /// Its language.
    pub language: String,
    /// WhatsApp's id of it, where the notice tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its status from now on, lower-case.
    pub status: String,
    /// Why it was rejected; `NONE` when it was not.
    pub rejected_reason: String,
}

/// WhatsApp's list does not hold a template any more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TemplateGone {
    /// The template's name.
    pub name: String,
    /// Its language.
    pub language: String,
}

/// A user deleted a template in all its languages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TemplateDeleted {
    /// The template's name.
    pub name: String,
    /// Who deleted it.
    pub done_by: UserId,
}

crate::events! {
    /// An event of the catalogue of templates.
    TemplateCatalogueEvent {
        /// Created.
        TemplateCreated = "TemplateCreated" v "1",
        /// Seen anew.
        TemplateSeen = "TemplateSeen" v "1",
        /// Decided on.
        TemplateStatusChanged = "TemplateStatusChanged" v "1",
        /// Gone.
        TemplateGone = "TemplateGone" v "1",
        /// Deleted.
        TemplateDeleted = "TemplateDeleted" v "1",
    }
}

impl Event for TemplateCatalogueEvent {
    crate::stored_event!();
}
