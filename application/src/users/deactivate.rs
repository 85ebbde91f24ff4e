//! Ends a user's access, and takes what it held (R-USR-7, R-USR-8).

use std::sync::Arc;

use chatledger_domain::{
    TenantId, UserId,
    admins::Admins,
    user::{User, UserCommand},
};

use super::admins::{ADMINS, count_admin};
use crate::{
    application::{Application, Context},
    chats::Holder,
    error::ApplicationError,
    ports::ledger::Metadata,
    streams::StreamOf,
};

impl Application {
    /// Ends a user's access.
    ///
    /// # Errors
    /// [`ApplicationError::NotAllowed`] for others than admins, `UnknownUser`, also where it has ended, `LastAdmin`.
    pub async fn deactivate_user(&self, context: &Context, id: UserId) -> Result<(), ApplicationError> {
        if !context.actor.is_admin() {
            return Err(ApplicationError::NotAllowed);
        }
        self.end_user(context.tenant, id, Some(context.actor.user), &context.metadata()).await
    }

    /// The same for its operator.
    ///
    /// # Errors
    /// [`ApplicationError::UnknownUser`], also where it has ended, `LastAdmin`.
    pub async fn expel_user(&self, tenant: TenantId, id: UserId) -> Result<(), ApplicationError> {
        self.end_user(tenant, id, None, &self.system("set-up", None)).await
    }

    async fn end_user(
        &self,
        tenant: TenantId,
        id: UserId,
        done_by: Option<UserId>,
        metadata: &Arc<Metadata>,
    ) -> Result<(), ApplicationError> {
        let unknown = || ApplicationError::UnknownUser(id);
        let stream = self.stream_at::<User>(tenant, id.0).await?.ok_or_else(unknown)?;
        self.know_admins(tenant).await?;
        let streams = [StreamOf::new::<User>(&stream), StreamOf::new::<Admins>(ADMINS)];
        let done = self
            .streams
            .transact(tenant, &streams, metadata, self.clock.now(), |d| {
                let user: User = d.state(&stream);
                if user.id != id || user.is_deactivated() {
                    return Err(unknown());
                }
                d.decide::<User>(&stream, UserCommand::Deactivate { done_by })?;
                count_admin(d, id, user.is_active_admin(), false)?;
                Ok(())
            })
            .await?;
        // From here on a reactor would finish, and does after a crash; done here, the answer already shows it.
        self.vault.drop_activation_code(tenant, id).await?;
        self.vault.end_sessions(tenant, id).await?;
        self.settle(tenant, done.position()).await;
        self.take_chats_from(tenant, Holder::User(id), done_by, metadata).await
    }

    /// Goes on with deactivations that were cut short: by a crash, or because a chat was assigned at the same moment.
    ///
    /// # Errors
    /// A port's fault.
    pub async fn finish_deactivations(&self, tenant: TenantId) -> Result<(), ApplicationError> {
        for id in self.read_models.ended_users_with_chats(tenant).await? {
            let Some(stream) = self.stream_at::<User>(tenant, id.0).await? else { continue };
            let user: User = self.streams.state(tenant, &stream).await?;
            let Some(ended) = user.ended else { continue };
            let metadata = self.system("user clean-up", None);
            self.take_chats_from(tenant, Holder::User(id), ended.done_by, &metadata).await?;
        }
        Ok(())
    }
}
