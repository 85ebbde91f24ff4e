//! With what WhatsApp is asked: one secret for each number of an inbox, write-only to everybody outside (R-ACC-1).

use async_trait::async_trait;
use chatledger_domain::TenantId;

use super::Unavailable;

/// Which of several puts a token comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenMark(pub Vec<u8>);

/// Access tokens and API keys, encrypted and bound to their tenant and number. By number, so that of two who connect
/// different numbers at once neither changes what the other's is asked with.
#[async_trait]
pub trait AccessTokens: Send + Sync {
    /// Keeps a number's token in place of the one before.
    async fn put(&self, tenant: TenantId, phone_number_id: &str, token: &str) -> Result<(), Unavailable>;
    /// A number's token.
    async fn get(&self, tenant: TenantId, phone_number_id: &str) -> Result<Option<String>, Unavailable>;
    /// Whether this is the number's token; compared in constant time.
    async fn is(&self, tenant: TenantId, phone_number_id: &str, token: &str) -> Result<bool, Unavailable>;
    /// The mark of what is kept now.
    async fn mark(&self, tenant: TenantId, phone_number_id: &str) -> Result<Option<TokenMark>, Unavailable>;
    /// Forgets a number's token, unless another was put since.
    async fn forget(&self, tenant: TenantId, phone_number_id: &str, mark: &TokenMark) -> Result<(), Unavailable>;
}
