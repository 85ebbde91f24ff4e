//! What can have happened to a token. Never the token itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{decider::Event, ids::UserId};

/// A token was issued.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ApiTokenIssued {
    /// Its name.
    pub name: String,
    /// What it may do.
    pub abilities: Vec<String>,
    /// When it ends by itself, POSIX seconds.
    pub expires_at: Option<i64>,
    /// When it was issued, POSIX seconds.
    pub issued_at: i64,
    /// Its last four digits, by which people tell tokens apart.
    pub last_four: String,
    /// Who issued it.
    pub done_by: UserId,
}

/// A token was revoked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ApiTokenRevoked {
    /// Who revoked it.
    pub done_by: UserId,
}

crate::events! {
    /// An event of a token.
    ApiTokenEvent {
        /// Issued.
        ApiTokenIssued = "ApiTokenIssued" v "1",
        /// Revoked.
        ApiTokenRevoked = "ApiTokenRevoked" v "1",
    }
}

impl Event for ApiTokenEvent {
    crate::stored_event!();
}
