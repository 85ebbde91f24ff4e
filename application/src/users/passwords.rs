//! Sets passwords: one's own, or as an admin somebody else's (R-USR-6, R-USR-9). Tokens stay as they are,
//! sessions end.

use std::sync::Arc;

use chatledger_domain::{
    TenantId, UserId, password,
    user::{User, UserCommand},
};

use crate::{
    application::{Application, Context},
    error::ApplicationError,
    ports::ledger::Metadata,
    streams::StreamOf,
};

impl Application {
    /// Sets the caller's own password.
    ///
    /// # Errors
    /// [`ApplicationError::WeakPassword`], `WrongPassword`, or a port's fault.
    pub async fn change_own_password(
        &self,
        context: &Context,
        current: &str,
        new: &str,
    ) -> Result<(), ApplicationError> {
        password::check(new)?;
        let user = context.actor.user;
        if !self.vault.check_password(context.tenant, Some(user), current).await? {
            return Err(ApplicationError::WrongPassword);
        }
        self.record_password(context.tenant, user, Some(user), new, &context.metadata()).await
    }

    /// Sets a user's password, also before it is activated, which this does not do (R-USR-6).
    ///
    /// # Errors
    /// [`ApplicationError::NotAllowed`] for others than admins, `UnknownUser`, `WeakPassword`, or a port's fault.
    pub async fn set_password(&self, context: &Context, user: UserId, new: &str) -> Result<(), ApplicationError> {
        if !context.actor.is_admin() {
            return Err(ApplicationError::NotAllowed);
        }
        password::check(new)?;
        self.record_password(context.tenant, user, Some(context.actor.user), new, &context.metadata()).await
    }

    /// The same for its operator.
    ///
    /// # Errors
    /// [`ApplicationError::UnknownUser`], `WeakPassword`, or a port's fault.
    pub async fn reset_password(&self, tenant: TenantId, user: UserId, new: &str) -> Result<(), ApplicationError> {
        password::check(new)?;
        self.record_password(tenant, user, None, new, &self.system("set-up", None)).await
    }

    /// The event comes first: no password changes without one.
    async fn record_password(
        &self,
        tenant: TenantId,
        user: UserId,
        done_by: Option<UserId>,
        new: &str,
        metadata: &Arc<Metadata>,
    ) -> Result<(), ApplicationError> {
        let unknown = || ApplicationError::UnknownUser(user);
        let stream = self.stream_at::<User>(tenant, user.0).await?.ok_or_else(unknown)?;
        let streams = [StreamOf::new::<User>(&stream)];
        let work = self.streams.transact(tenant, &streams, metadata, self.clock.now(), |d| {
            if d.state::<User>(&stream).id != user {
                return Err(unknown());
            }
            d.decide::<User>(&stream, UserCommand::RecordPassword { done_by }).map_err(|_| unknown())
        });
        let done = work.await?;
        self.vault.set_password(tenant, user, new).await?;
        self.vault.end_sessions(tenant, user).await?;
        self.settle(tenant, done.position()).await;
        Ok(())
    }
}
