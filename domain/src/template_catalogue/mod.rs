//! The message templates of a tenant as WhatsApp last told them; WhatsApp itself decides on them.

mod command;
mod decide;
mod event;
mod refusal;
mod render;
mod state;
#[cfg(test)]
mod tests;

pub use command::TemplateCatalogueCommand;
pub use event::{
    Template, TemplateCatalogueEvent, TemplateCreated, TemplateDeleted, TemplateGone, TemplateSeen,
    TemplateStatusChanged,
};
pub use refusal::TemplateCatalogueRefusal;
pub use render::rendered;
pub use state::{Known, TemplateCatalogue};
