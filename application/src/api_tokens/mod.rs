//! Tokens for programs, and whether they are accepted at all.

mod issue;
mod revoke;

pub use issue::{IssuedToken, NewApiToken};
