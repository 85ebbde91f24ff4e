//! Refresh tokens: an operator makes one for a user, who exchanges it for the user's token without a password.

use chatledger_domain::{
    TenantId, UserId,
    user::{User, UserCommand},
};
use chrono::{DateTime, TimeDelta, Utc};

use crate::{application::Application, error::ApplicationError, streams::StreamOf};

impl Application {
    /// Makes a refresh token for a user; it and when it expires.
    ///
    /// # Errors
    /// [`ApplicationError::UnknownUser`] without an active user of this name, or the fault of a port.
    pub async fn make_refresh_token(
        &self,
        tenant: TenantId,
        username: &str,
        life: TimeDelta,
    ) -> Result<(String, DateTime<Utc>), ApplicationError> {
        let unknown = || ApplicationError::UnknownUser(UserId::default());
        let user = self.read_models.user_by_name(tenant, username).await?.ok_or_else(unknown)?;
        let stream = self.active_user(tenant, user).await?.ok_or_else(unknown)?;
        let (token, now) = (format!("{}{}", tenant.tag(), self.random.hex(32)), self.clock.now());
        let expires_at = now + life;
        let (streams, metadata) = ([StreamOf::new::<User>(&stream)], self.system("set-up", None));
        // The event comes first: nobody gets in without one.
        let work = self.streams.transact(tenant, &streams, &metadata, now, |d| {
            d.decide::<User>(&stream, UserCommand::RecordRefreshToken { expires_at: expires_at.timestamp() })
        });
        work.await?;
        self.vault.add_refresh_token(tenant, user, &token, now, expires_at).await?;
        Ok((token, expires_at))
    }

    /// The token of the user for whom a refresh token was made, which is used up by that unless it is to be kept;
    /// `None` for one that is unknown, used or expired, and where the user is not active.
    ///
    /// # Errors
    /// The vault's or the ledger's fault.
    pub async fn convert_refresh_token(&self, token: &str, keep: bool) -> Result<Option<String>, ApplicationError> {
        let tenants = self.tenants_of_secret(token).await?;
        let now = self.clock.now();
        let found = self.vault.use_refresh_token(&tenants, token, keep, now).await?;
        let Some((tenant, user)) = found else { return Ok(None) };
        let Some(stream) = self.active_user(tenant, user).await? else { return Ok(None) };
        self.token_of(tenant, user, &stream).await.map(Some)
    }

    /// The stream of a user that is active.
    pub(crate) async fn active_user(&self, tenant: TenantId, user: UserId) -> Result<Option<String>, ApplicationError> {
        let Some(stream) = self.stream_at::<User>(tenant, user.0).await? else { return Ok(None) };
        let is_active = self.streams.state::<User>(tenant, &stream).await?.is_active();
        Ok(is_active.then_some(stream))
    }
}
