//! Read model `saved_responses`: texts that all users of an inbox share.

mod apply;
mod query;

pub(crate) use apply::SavedResponses;
pub use query::SavedResponseView;
