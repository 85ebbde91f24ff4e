//! Telling WhatsApp that a customer's message was read (R-RCV-6).

use async_trait::async_trait;
use chatledger_domain::whatsapp_account::Number;

/// WhatsApp was not told; may be tried again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotTold(pub String);

/// Tells it. The same message told twice is as once, and those before it are read with it.
#[async_trait]
pub trait ReadReceipts: Send + Sync {
    /// The customer's message, by WhatsApp's id, was read.
    async fn tell_read(&self, number: &Number, access_token: &str, waba_id: &str) -> Result<(), NotTold>;
}
