//! Activates a user by the code of its link, once (R-USR-3 … R-USR-5).

use std::sync::Arc;

use chatledger_domain::{
    Role, TenantId, UserId,
    admins::Admins,
    user::{User, UserCommand},
};

use super::admins::{ADMINS, count_admin};
use crate::{application::Application, error::ApplicationError, ports::ledger::Metadata, streams::StreamOf};

/// A user that was activated by this call.
#[derive(Debug)]
pub struct Activated {
    /// Its inbox.
    pub tenant: TenantId,
    /// The token of a program, which needs no password; `None` for people.
    pub token: Option<String>,
}

impl Application {
    /// Whether a code would activate somebody now, and in which inbox.
    ///
    /// # Errors
    /// A port's fault.
    pub async fn activation_code_counts(&self, code: &str) -> Result<Option<TenantId>, ApplicationError> {
        Ok(self.holder_of(code).await?.map(|(tenant, ..)| tenant))
    }

    /// Activates the user of a code; `None` for a code that nobody has, that was used or that is too old.
    ///
    /// The append decides which of two calls is the first; the code is forgotten after it, so that a crash in between
    /// leaves a code that is worth nothing.
    ///
    /// # Errors
    /// A port's fault.
    pub async fn activate_by_code(&self, code: &str) -> Result<Option<Activated>, ApplicationError> {
        let Some((tenant, id, stream)) = self.holder_of(code).await? else { return Ok(None) };
        let activated = self.activate(tenant, id, &stream, &self.system("activation", None)).await;
        let role = match activated {
            Ok(Some(role)) => role,
            Ok(None) | Err(ApplicationError::UnknownUser(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        self.vault.drop_activation_code(tenant, id).await?;
        let token = match role {
            Role::App => Some(self.token_of(tenant, id, &stream).await?),
            Role::Admin | Role::User => None,
        };
        let head = self.ledger.head(tenant).await?;
        self.settle(tenant, Some(head)).await;
        Ok(Some(Activated { tenant, token }))
    }

    /// Activates a user without a code, for its operator; whether it was not active before.
    ///
    /// # Errors
    /// [`ApplicationError::UnknownUser`], or a port's fault.
    pub async fn activate_user(&self, tenant: TenantId, id: UserId) -> Result<bool, ApplicationError> {
        let stream = self.stream_at::<User>(tenant, id.0).await?.ok_or(ApplicationError::UnknownUser(id))?;
        let activated = self.activate(tenant, id, &stream, &self.system("set-up", None)).await?;
        self.vault.drop_activation_code(tenant, id).await?;
        let head = self.ledger.head(tenant).await?;
        self.settle(tenant, Some(head)).await;
        Ok(activated.is_some())
    }

    /// Activates a user; its role when it was not active before.
    pub(super) async fn activate(
        &self,
        tenant: TenantId,
        id: UserId,
        stream: &str,
        metadata: &Arc<Metadata>,
    ) -> Result<Option<Role>, ApplicationError> {
        self.know_admins(tenant).await?;
        let streams = [StreamOf::new::<User>(stream), StreamOf::new::<Admins>(ADMINS)];
        let done = self
            .streams
            .transact(tenant, &streams, metadata, self.clock.now(), |d| {
                let before: User = d.state(stream);
                if before.id != id {
                    return Err(ApplicationError::UnknownUser(id));
                }
                d.decide::<User>(stream, UserCommand::Activate)?;
                let after: User = d.state(stream);
                count_admin(d, id, before.is_active_admin(), after.is_active_admin())?;
                Ok(after.role.filter(|_| !before.activated))
            })
            .await?;
        Ok(done.value)
    }

    async fn holder_of(&self, code: &str) -> Result<Option<(TenantId, UserId, String)>, ApplicationError> {
        let Some(tag) = code.get(..8) else { return Ok(None) };
        let tenants = self.directory.by_tag(tag).await?;
        if tenants.is_empty() {
            return Ok(None);
        }
        let found = self.vault.user_of_activation_code(&tenants, code, self.clock.now()).await?;
        let Some((tenant, id)) = found else { return Ok(None) };
        let Some(stream) = self.stream_at::<User>(tenant, id.0).await? else { return Ok(None) };
        let user: User = self.streams.state(tenant, &stream).await?;
        Ok((!user.activated && !user.is_deactivated()).then_some((tenant, id, stream)))
    }
}
