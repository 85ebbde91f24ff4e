//! What the catalogue's decisions need: of each template its status, and what tells whether it has changed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::event::{Template, TemplateCatalogueEvent};
use crate::ids::Position;

/// What is known of a template in one language.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Known {
    /// WhatsApp's id of it.
    pub id: Option<String>,
    /// Its status, lower-case.
    pub status: String,
    /// Why it was rejected.
    pub rejected_reason: String,
    /// Stands for what it says; `None` for a template that only a notice has told of, or that is no more.
    pub digest: Option<Uuid>,
    /// The last event about it.
    pub changed: Position,
}

/// The templates of a tenant.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TemplateCatalogue {
    /// By name, then language.
    pub names: BTreeMap<String, BTreeMap<String, Known>>,
}

impl TemplateCatalogue {
    /// What is known of a template, deleted ones included.
    #[must_use]
    pub fn known(&self, name: &str, language: &str) -> Option<&Known> {
        self.names.get(name)?.get(language)
    }

    /// The templates that are there: name, language, what is known.
    pub fn standing(&self) -> impl Iterator<Item = (&str, &str, &Known)> {
        let all = self.names.iter().flat_map(|(name, languages)| {
            languages.iter().map(move |(language, known)| (name.as_str(), language.as_str(), known))
        });
        all.filter(|(_, _, known)| known.digest.is_some())
    }

    /// Whether a template of this name is there, in any language.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.names.get(name).is_some_and(|languages| languages.values().any(|known| known.digest.is_some()))
    }

    pub(super) fn after(&mut self, event: &TemplateCatalogueEvent, position: Position) {
        match event {
            TemplateCatalogueEvent::TemplateCreated(e) => self.set(&e.template, position),
            TemplateCatalogueEvent::TemplateSeen(e) => self.set(&e.template, position),
            TemplateCatalogueEvent::TemplateStatusChanged(e) => {
                let known = self.entry(&e.name, &e.language);
                known.status.clone_from(&e.status);
                known.rejected_reason.clone_from(&e.rejected_reason);
                known.id = e.id.clone().or_else(|| known.id.take());
                known.changed = position;
            }
            TemplateCatalogueEvent::TemplateGone(e) => {
                *self.entry(&e.name, &e.language) = Known { changed: position, ..Known::default() };
            }
            TemplateCatalogueEvent::TemplateDeleted(e) => {
                for known in self.names.entry(e.name.clone()).or_default().values_mut() {
                    *known = Known { changed: position, ..Known::default() };
                }
            }
        }
    }

    fn set(&mut self, template: &Template, position: Position) {
        *self.entry(&template.name, &template.language) = Known {
            id: template.id.clone(),
            status: template.status.clone(),
            rejected_reason: template.rejected_reason.clone(),
            digest: Some(digest(template)),
            changed: position,
        };
    }

    fn entry(&mut self, name: &str, language: &str) -> &mut Known {
        self.names.entry(name.to_owned()).or_default().entry(language.to_owned()).or_default()
    }
}

/// Namespace of digests.
const NAMESPACE: Uuid = Uuid::from_u128(0x3b0c_9a51_7f06_4d7e_8f4b_c0a8_65d2_1e09);

/// Stands for what a template says, whatever the order of keys and the spacing in which WhatsApp writes it.
pub(super) fn digest(template: &Template) -> Uuid {
    let mut text = format!("{}\n{}\n", template.category, template.namespace);
    write(&template.components.tree(), &mut text);
    Uuid::new_v5(&NAMESPACE, text.as_bytes())
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Object(members) => {
            text.push('{');
            let sorted: BTreeMap<_, _> = members.iter().collect();
            for (name, member) in sorted {
                text.push_str(&Value::from(name.as_str()).to_string());
                text.push(':');
                write(member, text);
                text.push(',');
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for item in items {
                write(item, text);
                text.push(',');
            }
            text.push(']');
        }
        plain => text.push_str(&plain.to_string()),
    }
}
