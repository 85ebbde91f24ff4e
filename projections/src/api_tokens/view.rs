//! What the queries answer.

use chatledger_domain::ApiTokenId;

/// A token, without the token itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiTokenView {
    /// Its id.
    pub id: ApiTokenId,
    /// Its name.
    pub name: String,
    /// What it may do.
    pub abilities: Vec<String>,
    /// When it ends by itself, POSIX seconds.
    pub expires_at: Option<i64>,
    /// When it was issued, POSIX seconds.
    pub issued_at: i64,
    /// Its last four digits.
    pub last_four: String,
}
