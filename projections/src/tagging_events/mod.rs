//! Read model `tagging_events`: who tagged and untagged what when, with the tag as it was then (R-TAG-6).

mod apply;
mod query;

pub(crate) use apply::TaggingEvents;
pub(crate) use query::{Of, events};
