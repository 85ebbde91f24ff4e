//! The active admins of an inbox as one aggregate, so that the last of them cannot leave (R-USR-7).
//!
//! Each user decides about itself alone; that somebody else stays is decided here, in one stream, by the append that
//! records the change of the user.

mod command;
mod decide;
mod event;
mod refusal;
mod state;
#[cfg(test)]
mod tests;

pub use command::AdminsCommand;
pub use event::{AdminJoined, AdminLeft, AdminsEvent};
pub use refusal::AdminsRefusal;
pub use state::Admins;
