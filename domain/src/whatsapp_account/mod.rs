//! The WhatsApp number of a tenant, at most one at a time, and what WhatsApp says about it.

mod command;
mod decide;
mod event;
mod redact;
mod refusal;
mod state;
#[cfg(test)]
mod tests;
mod tier;

pub use command::WhatsAppAccountCommand;
pub use event::{
    AccountConnected, AccountDisconnected, AccountNoticeReceived, Channel, ERRORS, TemplateStatusReported,
    WhatsAppAccountEvent, number_claim,
};
pub use refusal::WhatsAppAccountRefusal;
pub use state::{Number, WhatsAppAccount};
pub use tier::Tier;
