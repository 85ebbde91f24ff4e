//! The customer as a person: what WhatsApp shows of its profile; fields and consent come with other families.

mod command;
mod decide;
mod event;
mod refusal;
mod state;
#[cfg(test)]
mod tests;

pub use command::ContactCommand;
pub use event::{ContactEvent, ContactProfileSeen};
pub use refusal::ContactRefusal;
pub use state::Contact;
