//! Creates a user that can log in at once: set-up of a tenant by its operator.

use std::collections::BTreeSet;

use chatledger_domain::{
    GroupId, Role, TenantId, UserId, password,
    user::{User, UserCommand},
};

use crate::{application::Application, error::ApplicationError, streams::StreamOf};

/// A user to be created and activated.
#[derive(Clone, Debug)]
pub struct NewUser {
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
    /// Its password.
    pub password: String,
}

impl Application {
    /// Creates and activates a user; its id and token.
    ///
    /// # Errors
    /// [`ApplicationError::NameTaken`], `WeakPassword`, or the fault of a port.
    pub async fn create_active_user(
        &self,
        tenant: TenantId,
        group: GroupId,
        new: NewUser,
    ) -> Result<(UserId, String), ApplicationError> {
        password::check(&new.password)?;
        let stream = self.random.uuid().to_string();
        let streams = [StreamOf::new::<User>(&stream)];
        let metadata = self.system("set-up", None);
        let done = self
            .streams
            .transact(tenant, &streams, &metadata, self.clock.now(), |d| {
                let NewUser { username, first_name, last_name, email, role, .. } = new.clone();
                let groups = BTreeSet::from([group]);
                let create =
                    UserCommand::Create { username, first_name, last_name, email, role, groups, done_by: None };
                d.decide::<User>(&stream, create)?;
                d.decide::<User>(&stream, UserCommand::RecordPassword { done_by: None })
            })
            .await?;
        let id = done.recorded.first().map(|r| UserId(r.position.0)).ok_or(ApplicationError::Conflict)?;
        self.vault.set_password(tenant, id, &new.password).await?;
        self.activate(tenant, id, &stream, &metadata).await?;
        let token = self.token_of(tenant, id, &stream).await?;
        let head = self.ledger.head(tenant).await?;
        self.settle(tenant, Some(head)).await;
        Ok((id, token))
    }
}
