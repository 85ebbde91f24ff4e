//! Read model `whatsapp_accounts`: an inbox's newest connection to WhatsApp, ended or not.

mod apply;
mod query;
mod view;

pub(crate) use apply::WhatsAppAccounts;
pub use view::{AccountStatus, WhatsAppAccountView};
