//! Secrets: hashed where only a comparison is needed, encrypted where they must be given back. Never in events.

use async_trait::async_trait;
use chatledger_domain::{TenantId, UserId};

use super::Unavailable;

/// A secret of a tenant that must be given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The access token or API key for WhatsApp.
    AccessToken,
    /// The token that Meta shows when it verifies our webhook.
    VerifyToken,
    /// The last part of `/hooks/waba/{channel_secret}`.
    ChannelSecret,
}

impl Kind {
    /// The stored name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccessToken => "access_token",
            Self::VerifyToken => "verify_token",
            Self::ChannelSecret => "channel_secret",
        }
    }
}

/// The vault.
///
/// Tokens and channel secrets begin with [`TenantId::tag`], so that a secret alone leads to its tenant's rows.
#[async_trait]
pub trait Vault: Send + Sync {
    /// Sets a user's password. Hashing is bounded in concurrency.
    async fn set_password(&self, tenant: TenantId, user: UserId, password: &str) -> Result<(), Unavailable>;
    /// Whether the password is the user's. `None` for the user does the same work, so that time tells nothing.
    async fn check_password(&self, tenant: TenantId, user: Option<UserId>, password: &str)
    -> Result<bool, Unavailable>;
    /// The user's token: the existing one, or `new` from now on; and whether it is new (R-AUTH-2).
    async fn token(&self, tenant: TenantId, user: UserId, new: String) -> Result<(String, bool), Unavailable>;
    /// The user of a token, among these tenants. Found by hash.
    async fn user_of_token(&self, tenants: &[TenantId], token: &str)
    -> Result<Option<(TenantId, UserId)>, Unavailable>;
    /// Keeps a secret, encrypted and bound to its tenant and kind.
    async fn put(&self, tenant: TenantId, kind: Kind, secret: &str) -> Result<(), Unavailable>;
    /// Gives a secret back.
    async fn get(&self, tenant: TenantId, kind: Kind) -> Result<Option<String>, Unavailable>;
    /// The tenant, among these, whose secret of this kind this is. Found by hash, compared in constant time.
    async fn tenant_of(&self, tenants: &[TenantId], kind: Kind, secret: &str) -> Result<Option<TenantId>, Unavailable>;
}
