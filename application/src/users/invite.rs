//! Creates a user that becomes one by following a link (R-USR-1 … R-USR-5).

use std::{collections::BTreeSet, sync::Arc};

use chatledger_domain::{
    Role, TenantId, UserId,
    user::{User, UserCommand},
};
use chrono::Duration;

use crate::{
    application::{Application, Context},
    error::ApplicationError,
    ports::ledger::Metadata,
    streams::StreamOf,
};

/// How long an activation code counts (R-USR-5).
const CODE_LIFE: Duration = Duration::days(7);

/// A user to be created.
#[derive(Clone, Debug)]
pub struct InvitedUser {
    /// Its name for logging in.
    pub username: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Address.
    pub email: String,
    /// Its role.
    pub role: Role,
}

/// A user that was created.
#[derive(Debug)]
pub struct Invitation {
    /// The user.
    pub user: UserId,
    /// What activates it, once; shown now and never again (R-USR-2).
    pub code: String,
}

impl Application {
    /// Creates a user that is not active yet.
    ///
    /// # Errors
    /// [`ApplicationError::NotAllowed`] for others than admins, `NameTaken`.
    pub async fn invite_user(&self, context: &Context, new: InvitedUser) -> Result<Invitation, ApplicationError> {
        if !context.actor.is_admin() {
            return Err(ApplicationError::NotAllowed);
        }
        self.invite(context.tenant, Some(context.actor.user), &new, &context.metadata()).await
    }

    /// The same for its operator.
    ///
    /// # Errors
    /// [`ApplicationError::NameTaken`], or a port's fault.
    pub async fn add_user(&self, tenant: TenantId, new: InvitedUser) -> Result<Invitation, ApplicationError> {
        self.invite(tenant, None, &new, &self.system("set-up", None)).await
    }

    /// A new code for a user that is not active yet, for its operator; the one before counts no more.
    ///
    /// # Errors
    /// [`ApplicationError::UnknownUser`], also where it is active already.
    pub async fn renew_activation(&self, tenant: TenantId, user: UserId) -> Result<Invitation, ApplicationError> {
        let unknown = || ApplicationError::UnknownUser(user);
        let stream = self.stream_at::<User>(tenant, user.0).await?.ok_or_else(unknown)?;
        let state: User = self.streams.state(tenant, &stream).await?;
        if state.activated || state.is_deactivated() {
            return Err(unknown());
        }
        Ok(Invitation { user, code: self.new_activation_code(tenant, user).await? })
    }

    async fn invite(
        &self,
        tenant: TenantId,
        done_by: Option<UserId>,
        new: &InvitedUser,
        metadata: &Arc<Metadata>,
    ) -> Result<Invitation, ApplicationError> {
        let built_in = self.read_models.built_in_groups(tenant).await?;
        let groups: BTreeSet<_> = built_in.get(&new.role).copied().into_iter().collect();
        let stream = self.random.uuid().to_string();
        let done = self
            .streams
            .transact(tenant, &[StreamOf::new::<User>(&stream)], metadata, self.clock.now(), |d| {
                let InvitedUser { username, first_name, last_name, email, role } = new.clone();
                let groups = groups.clone();
                let create = UserCommand::Create { username, first_name, last_name, email, role, groups, done_by };
                d.decide::<User>(&stream, create)
            })
            .await?;
        let user = done.position().map(|position| UserId(position.0)).ok_or(ApplicationError::Conflict)?;
        let code = self.new_activation_code(tenant, user).await?;
        self.settle(tenant, done.position()).await;
        Ok(Invitation { user, code })
    }

    async fn new_activation_code(&self, tenant: TenantId, user: UserId) -> Result<String, ApplicationError> {
        let code = format!("{}{}", tenant.tag(), self.random.hex(16));
        let until = self.clock.now() + CODE_LIFE;
        self.vault.put_activation_code(tenant, user, &code, until).await?;
        Ok(code)
    }
}
