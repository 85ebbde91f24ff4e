//! The rules of the catalogue: only differences are recorded, and newer news is not undone by an older list.

use std::collections::HashSet;

use super::{
    Known, Template, TemplateCatalogue, TemplateCatalogueCommand, TemplateCatalogueEvent, TemplateCatalogueRefusal,
    TemplateCreated, TemplateDeleted, TemplateGone, TemplateSeen, TemplateStatusChanged, state::digest,
};
use crate::{decider::Decider, ids::Position};

impl Decider for TemplateCatalogue {
    const TYPE: &'static str = "TemplateCatalogue";
    type Command = TemplateCatalogueCommand;
    type Event = TemplateCatalogueEvent;
    type Refusal = TemplateCatalogueRefusal;

    fn decide(
        &self,
        command: TemplateCatalogueCommand,
    ) -> Result<Vec<TemplateCatalogueEvent>, TemplateCatalogueRefusal> {
        match command {
            TemplateCatalogueCommand::Create { mut template, done_by } => {
                // WhatsApp's notice may have overtaken its answer.
                if let Some(known) = self.known(&template.name, &template.language)
                    && known.id.is_some()
                    && known.id == template.id
                {
                    template.status.clone_from(&known.status);
                    template.rejected_reason.clone_from(&known.rejected_reason);
                }
                Ok(vec![TemplateCreated { template, done_by }.into()])
            }
            TemplateCatalogueCommand::Delete { name, .. } if !self.has(&name) => Err(TemplateCatalogueRefusal::Unknown),
            TemplateCatalogueCommand::Delete { name, done_by } => Ok(vec![TemplateDeleted { name, done_by }.into()]),
            TemplateCatalogueCommand::Synchronise { listed, as_of } => Ok(self.synchronise(listed, as_of)),
            TemplateCatalogueCommand::ReportStatus { name, language, id, status, rejected_reason } => {
                let Some(status) = standing(&status) else { return Ok(Vec::new()) };
                if let Some(known) = self.known(&name, &language) {
                    let of_another = id.is_some() && known.id.is_some() && id != known.id && known.digest.is_some();
                    let same = known.status == status && known.rejected_reason == rejected_reason;
                    if of_another || same && (id.is_none() || id == known.id) {
                        return Ok(Vec::new());
                    }
                }
                let status = status.to_owned();
                Ok(vec![TemplateStatusChanged { name, language, id, status, rejected_reason }.into()])
            }
        }
    }

    fn evolve(&mut self, event: &TemplateCatalogueEvent, position: Position) {
        self.after(event, position);
    }
}

/// The status that a notice's word leads to; `None` when it leads to none.
fn standing(word: &str) -> Option<&str> {
    match word {
        // A warning: the template can be sent as before.
        "flagged" => None,
        "reinstated" | "unarchived" => Some("approved"),
        status => Some(status),
    }
}

impl TemplateCatalogue {
    fn synchronise(&self, listed: Vec<Template>, as_of: Position) -> Vec<TemplateCatalogueEvent> {
        let mut seen = HashSet::new();
        let mut events = Vec::new();
        for template in listed {
            if !seen.insert((template.name.clone(), template.language.clone())) {
                continue;
            }
            let known = self.known(&template.name, &template.language);
            if known.is_none_or(|known| known.changed <= as_of && !says(known, &template)) {
                events.push(TemplateSeen { template }.into());
            }
        }
        for (name, language, known) in self.standing() {
            if known.changed <= as_of && !seen.contains(&(name.to_owned(), language.to_owned())) {
                events.push(TemplateGone { name: name.to_owned(), language: language.to_owned() }.into());
            }
        }
        events
    }
}

/// Whether a template is as known.
fn says(known: &Known, template: &Template) -> bool {
    known.status == template.status
        && known.rejected_reason == template.rejected_reason
        && known.id == template.id
        && known.digest == Some(digest(template))
}
