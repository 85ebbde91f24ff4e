//! The customer as a person: what WhatsApp shows of its profile, and what the address book says, and whether it wishes to
//! hear from us.

mod command;
mod decide;
mod event;
mod initials;
mod opt_in;
mod redact;
mod refusal;
mod state;
#[cfg(test)]
mod tests;

pub use command::ContactCommand;
pub use event::{
    ContactErased, ContactEvent, ContactProfileSeen, ContactUpserted, EmailAddress, OptInChanged, PhoneNumber,
};
pub use initials::initials;
pub use opt_in::{Consent, OptIn, keyword_in};
pub use refusal::ContactRefusal;
pub use state::{Contact, Saved};
