//! The address book: saving contacts, finding them in every provider, checking numbers.

pub mod erasure;

mod erase;
mod find;
mod upsert;
mod verify;

pub use find::{FoundContact, FoundContacts, Place};
pub use upsert::UpsertContact;
