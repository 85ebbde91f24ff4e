//! Tokens for programs: the bearer tokens of the Tenant, Public and Events APIs (R-TOK-*).

mod abilities;
mod command;
mod decide;
mod event;
mod refusal;
mod state;
#[cfg(test)]
mod tests;

pub use abilities::ABILITIES;
pub use command::ApiTokenCommand;
pub use event::{ApiTokenEvent, ApiTokenIssued, ApiTokenRevoked};
pub use refusal::ApiTokenRefusal;
pub use state::ApiToken;
