//! WhatsApp's provider, asked whether a key is one of its own (R-AUTH-5).

use async_trait::async_trait;
use chatledger_domain::whatsapp_account::Number;

/// The provider. Where none is set up, the tenant's own channel key decides.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Whether the provider takes the key for this number. Answers may be a few minutes old; a provider that does not
    /// answer soon takes no key.
    async fn takes(&self, key: &str, number: &Number) -> bool;
}
