//! Read model `persons`: the customers, with what WhatsApp shows of them and when they last wrote.

mod apply;
mod query;

pub(crate) use apply::Persons;
pub(crate) use query::{Known, persons, persons_by_id};
