//! What may be asked of a token.

use super::ApiTokenIssued;
use crate::ids::UserId;

/// A command to one token.
#[derive(Clone, Debug)]
pub enum ApiTokenCommand {
    /// Issues it.
    Issue(ApiTokenIssued),
    /// Ends it.
    Revoke {
        /// Who ends it.
        done_by: UserId,
    },
}
