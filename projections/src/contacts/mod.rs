//! Read model `contacts`: the customers that are saved in the address book; and the address book itself, which shows
//! them together with those who only wrote.

mod apply;
mod provider;
mod query;

pub(crate) use apply::Contacts;
pub use provider::InternalContacts;
pub(crate) use query::{any_saved_matches, number};
