//! Read model `media`: the files, and where their bytes are.

mod apply;
mod query;

pub(crate) use apply::Media;
pub(crate) use query::{bytes, media};
