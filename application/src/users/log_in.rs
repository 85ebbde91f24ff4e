//! Exchanges a name and a password for the user's token.

use chatledger_domain::{
    TenantId, UserId,
    user::{User, UserCommand},
};

use crate::{application::Application, error::ApplicationError, streams::StreamOf};

impl Application {
    /// The user's token, new or existing (R-AUTH-2); `None` for a wrong name or password and for a user that is not
    /// active, without a difference in time.
    ///
    /// # Errors
    /// The vault's or the ledger's fault.
    pub async fn log_in(
        &self,
        tenant: TenantId,
        username: &str,
        password: &str,
    ) -> Result<Option<String>, ApplicationError> {
        match self.user_with_password(tenant, username, password).await? {
            Some((user, stream)) => self.token_of(tenant, user, &stream).await.map(Some),
            None => Ok(None),
        }
    }

    /// The active user with this name and password; `None` as for [`Self::log_in`].
    ///
    /// # Errors
    /// The vault's or the ledger's fault.
    pub async fn check_log_in(
        &self,
        tenant: TenantId,
        username: &str,
        password: &str,
    ) -> Result<Option<UserId>, ApplicationError> {
        Ok(self.user_with_password(tenant, username, password).await?.map(|(user, _)| user))
    }

    /// The active user with this name and password, and its stream.
    pub(crate) async fn user_with_password(
        &self,
        tenant: TenantId,
        username: &str,
        password: &str,
    ) -> Result<Option<(UserId, String)>, ApplicationError> {
        let user = self.read_models.user_by_name(tenant, username).await?;
        if !self.vault.check_password(tenant, user, password).await? {
            return Ok(None);
        }
        let Some(user) = user else { return Ok(None) };
        Ok(self.active_user(tenant, user).await?.map(|stream| (user, stream)))
    }

    /// A user's token without its password, for its operator.
    ///
    /// # Errors
    /// [`ApplicationError::UnknownUser`], or the vault's or the ledger's fault.
    pub async fn token_for(&self, tenant: TenantId, user: UserId) -> Result<String, ApplicationError> {
        let stream = self.stream_at::<User>(tenant, user.0).await?.ok_or(ApplicationError::UnknownUser(user))?;
        self.token_of(tenant, user, &stream).await
    }

    /// The user's token; a new one is recorded as issued, without the token itself.
    pub(crate) async fn token_of(
        &self,
        tenant: TenantId,
        user: UserId,
        stream: &str,
    ) -> Result<String, ApplicationError> {
        let candidate = format!("{}{}", tenant.tag(), self.random.hex(16));
        let (token, new) = self.vault.token(tenant, user, candidate).await?;
        if new {
            let metadata = self.system("log-in", None);
            let streams = [StreamOf::new::<User>(stream)];
            let work = self.streams.transact(tenant, &streams, &metadata, self.clock.now(), |d| {
                d.decide::<User>(stream, UserCommand::RecordToken)
            });
            work.await?;
        }
        Ok(token)
    }
}
