//! Tags: a name and a colour, unique by name within a tenant (R-TAG-9).

mod command;
mod decide;
mod event;
mod refusal;
mod state;
#[cfg(test)]
mod tests;

pub use command::TagCommand;
pub use event::{TagChanged, TagCreated, TagDeleted, TagEvent, name_claim};
pub use refusal::TagRefusal;
pub use state::Tag;
