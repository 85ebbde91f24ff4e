//! Saved responses: texts that all users of an inbox share (R-SAV-1).

mod command;
mod decide;
mod event;
mod refusal;
mod state;
#[cfg(test)]
mod tests;

pub use command::SavedResponseCommand;
pub use event::{SavedResponseCreated, SavedResponseDeleted, SavedResponseEvent};
pub use refusal::SavedResponseRefusal;
pub use state::SavedResponse;
