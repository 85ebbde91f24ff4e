//! What may be asked of the catalogue.

use super::event::Template;
use crate::ids::{Position, UserId};

/// A command to the catalogue.
#[derive(Clone, Debug)]
pub enum TemplateCatalogueCommand {
    /// Records a template that WhatsApp took.
    Create {
        /// The template, with WhatsApp's first word on it.
        template: Template,
        /// Who created it.
        done_by: UserId,
    },
    /// Records a template's deletion in all languages.
    Delete {
        /// Its name.
        name: String,
        /// Who deleted it.
        done_by: UserId,
    },
    /// Records how WhatsApp's whole list differs from ours.
    Synchronise {
        /// All templates that WhatsApp has.
        listed: Vec<Template>,
        /// The newest position when WhatsApp was asked: what changed since is newer than the list.
        as_of: Position,
    },
    /// Records what a notice says of a template.
    ReportStatus {
        /// Its name.
        name: String,
        /// Its language.
        language: String,
        /// WhatsApp's id of it, where the notice tells.
        id: Option<String>,
        /// The notice's word, lower-case.
        status: String,
        /// Why it was rejected; `NONE` when it was not.
        rejected_reason: String,
    },
}
