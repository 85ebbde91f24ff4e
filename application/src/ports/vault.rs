//! Secrets: hashed where only a comparison is needed, encrypted where they must be given back. Never in events.

use async_trait::async_trait;
use chatledger_domain::{TenantId, UserId};
use chrono::{DateTime, Utc};

use super::Unavailable;

/// The longest password that is looked at, in characters: hashing has a price, and a longer one is nobody's.
pub const MAX_PASSWORD: usize = 128;

/// A secret of a tenant that must be given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
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
            Self::VerifyToken => "verify_token",
            Self::ChannelSecret => "channel_secret",
        }
    }
}

/// Why a password was neither set nor checked.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// So many others wait to have theirs hashed that this one must come again.
    #[error("too many passwords wait to be hashed")]
    Busy,
    /// Longer than [`MAX_PASSWORD`]; only when it is set.
    #[error("a password has at most {MAX_PASSWORD} characters")]
    TooLong,
    /// The vault cannot be reached.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// A browser's session (R-AUTH-9). Its id is the browser's alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Whose inbox.
    pub tenant: TenantId,
    /// Who logged in.
    pub user: UserId,
    /// When it was last used, to about a minute.
    pub last_seen_at: DateTime<Utc>,
    /// When it ends, used or not.
    pub expires_at: DateTime<Utc>,
}

/// The vault.
///
/// Tokens, session ids and channel secrets begin with [`TenantId::tag`], so that a secret alone leads to its tenant's
/// rows.
#[async_trait]
pub trait Vault: Send + Sync {
    /// Sets a user's password. Hashing is bounded in concurrency.
    async fn set_password(&self, tenant: TenantId, user: UserId, password: &str) -> Result<(), PasswordError>;
    /// Whether the password is the user's. `None` for the user does the same work, so that time tells nothing.
    /// One kept under lower costs than today's is hashed anew.
    async fn check_password(
        &self,
        tenant: TenantId,
        user: Option<UserId>,
        password: &str,
    ) -> Result<bool, PasswordError>;
    /// The user's token: the existing one, or `new` from now on; and whether it is new (R-AUTH-2).
    async fn token(&self, tenant: TenantId, user: UserId, new: String) -> Result<(String, bool), Unavailable>;
    /// The user of a token, among these tenants. Found by hash.
    async fn user_of_token(&self, tenants: &[TenantId], token: &str)
    -> Result<Option<(TenantId, UserId)>, Unavailable>;
    /// Opens a session under a new id of at least 128 random bits, and forgets what has expired by `last_seen_at`.
    async fn open_session(&self, id: &str, session: &Session) -> Result<(), Unavailable>;
    /// The session with this id, among these tenants, ended by time or not. Found by hash.
    async fn find_session(&self, tenants: &[TenantId], id: &str) -> Result<Option<Session>, Unavailable>;
    /// Notes that a session was used.
    async fn touch_session(&self, tenant: TenantId, id: &str, seen_at: DateTime<Utc>) -> Result<(), Unavailable>;
    /// Ends one session.
    async fn end_session(&self, tenant: TenantId, id: &str) -> Result<(), Unavailable>;
    /// Ends all sessions of a user: its password changed, or its access ended.
    async fn end_sessions(&self, tenant: TenantId, user: UserId) -> Result<(), Unavailable>;
    /// Keeps a refresh token of at least 128 random bits, and forgets what has expired by `now`.
    async fn add_refresh_token(
        &self,
        tenant: TenantId,
        user: UserId,
        token: &str,
        now: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> Result<(), Unavailable>;
    /// The user of a refresh token that has not expired, among these tenants. Unless it is to be kept it is gone
    /// afterwards, and of parallel callers one gets the user.
    async fn use_refresh_token(
        &self,
        tenants: &[TenantId],
        token: &str,
        keep: bool,
        now: DateTime<Utc>,
    ) -> Result<Option<(TenantId, UserId)>, Unavailable>;
    /// Keeps the code that activates a user until then; any earlier code of the user is no more. Only its hash is kept.
    async fn put_activation_code(
        &self,
        tenant: TenantId,
        user: UserId,
        code: &str,
        until: DateTime<Utc>,
    ) -> Result<(), Unavailable>;
    /// The user of a code that still counts, among these tenants.
    async fn user_of_activation_code(
        &self,
        tenants: &[TenantId],
        code: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<(TenantId, UserId)>, Unavailable>;
    /// Forgets a user's code.
    async fn drop_activation_code(&self, tenant: TenantId, user: UserId) -> Result<(), Unavailable>;
    /// Keeps a secret, encrypted and bound to its tenant and kind.
    async fn put(&self, tenant: TenantId, kind: Kind, secret: &str) -> Result<(), Unavailable>;
    /// Gives a secret back.
    async fn get(&self, tenant: TenantId, kind: Kind) -> Result<Option<String>, Unavailable>;
    /// The tenant, among these, whose secret of this kind this is. Found by hash, compared in constant time.
    async fn tenant_of(&self, tenants: &[TenantId], kind: Kind, secret: &str) -> Result<Option<TenantId>, Unavailable>;
}
