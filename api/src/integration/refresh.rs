//! Whether WhatsApp is being asked for what is kept of it.

use serde::Serialize;
use utoipa::ToSchema;

/// Whether a refresh is under way.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"currently_refreshing": false}))]
pub struct RefreshStatus {
    /// Ask again until it is `false`.
    pub currently_refreshing: bool,
}
