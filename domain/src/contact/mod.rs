//! The customer as a person: what WhatsApp shows of its profile, and what the address book says.

mod command;
mod decide;
mod event;
mod initials;
mod redact;
mod refusal;
mod state;
#[cfg(test)]
mod tests;

pub use command::ContactCommand;
pub use event::{ContactErased, ContactEvent, ContactProfileSeen, ContactUpserted, EmailAddress, PhoneNumber};
pub use initials::initials;
pub use refusal::ContactRefusal;
pub use state::{Contact, Saved};
