//! Read model `api_tokens`: tokens for programs that are not revoked.

mod apply;
mod query;
mod view;

pub(crate) use apply::ApiTokens;
pub use view::ApiTokenView;
