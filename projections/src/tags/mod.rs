//! Read model `tags`: the tags that exist.

mod apply;
mod query;

pub(crate) use apply::Tags;
pub(crate) use query::{by_name, tag, tags};
