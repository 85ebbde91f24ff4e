//! What the Service API needs to know of a shop before anything else.

use std::{collections::BTreeSet, sync::Arc};

use chatledger_domain::{
    Role, TenantId, UserId,
    user::{User, UserCommand},
};
use chrono::{DateTime, Utc};

use crate::{
    application::Application,
    error::ApplicationError,
    ports::{Unavailable, ledger::Metadata, rate_limits::Rate},
    streams::StreamOf,
};

impl Application {
    /// Whether there is such a tenant.
    ///
    /// # Errors
    /// The directory's fault.
    pub async fn tenant_exists(&self, tenant: TenantId) -> Result<bool, Unavailable> {
        Ok(self.directory.by_id(tenant).await?.is_some())
    }

    /// The tenants whose ids begin like this; nearly always one or none.
    ///
    /// # Errors
    /// The directory's fault.
    pub async fn tenants_by_tag(&self, tag: &str) -> Result<Vec<TenantId>, Unavailable> {
        self.directory.by_tag(tag).await
    }

    /// Counts a request of a key, over all servers (R-LIM-1).
    ///
    /// # Errors
    /// When it cannot be counted.
    pub async fn count_request(
        &self,
        tenant: TenantId,
        key: &str,
        limit: u32,
        now: DateTime<Utc>,
    ) -> Result<Rate, Unavailable> {
        self.rate_limits.take(tenant, key, limit, now).await
    }

    /// The user that a service acts as: the active program of its name; `None` before it has done anything.
    ///
    /// # Errors
    /// A port's fault.
    pub async fn service_user(&self, tenant: TenantId, name: &str) -> Result<Option<UserId>, ApplicationError> {
        match self.service_name(tenant, name).await? {
            ServiceName::Of(user) => Ok(Some(user)),
            ServiceName::Free(_) | ServiceName::Taken => Ok(None),
        }
    }

    /// Makes the user that a service acts as, for something that it may do. It has neither password nor token and cannot
    /// log in; it is there so that events and lists say who did what.
    ///
    /// # Errors
    /// [`ApplicationError::Conflict`] when others have just taken the name, or hold it and its substitute; a port's
    /// fault.
    pub async fn create_service_user(
        &self,
        tenant: TenantId,
        name: &str,
        correlation_id: String,
    ) -> Result<UserId, ApplicationError> {
        let username = match self.service_name(tenant, name).await? {
            ServiceName::Of(user) => return Ok(user),
            ServiceName::Free(username) => username,
            ServiceName::Taken => return Err(ApplicationError::Conflict),
        };
        match self.create_program(tenant, username, correlation_id).await {
            // Another request, perhaps of the same service, was faster.
            Err(ApplicationError::NameTaken) => {
                let head = self.ledger.head(tenant).await?;
                self.settle(tenant, Some(head)).await;
                self.service_user(tenant, name).await?.ok_or(ApplicationError::Conflict)
            }
            made => made,
        }
    }

    async fn create_program(
        &self,
        tenant: TenantId,
        username: String,
        correlation_id: String,
    ) -> Result<UserId, ApplicationError> {
        let groups: BTreeSet<_> =
            self.read_models.built_in_groups(tenant).await?.get(&Role::App).copied().into_iter().collect();
        let stream = self.random.uuid().to_string();
        let create = UserCommand::Create {
            username: username.clone(),
            first_name: username,
            last_name: String::new(),
            email: String::new(),
            role: Role::App,
            groups,
            done_by: None,
        };
        let metadata = Arc::new(Metadata { correlation_id, ..Metadata::clone(&self.system("service", None)) });
        let streams = [StreamOf::new::<User>(&stream)];
        let done = self
            .streams
            .transact(tenant, &streams, &metadata, self.clock.now(), |d| {
                d.decide::<User>(&stream, create.clone())?;
                d.decide::<User>(&stream, UserCommand::Activate)
            })
            .await?;
        self.settle(tenant, done.position()).await;
        let first = done.recorded.first().map(|recorded| UserId(recorded.position.0));
        first.ok_or(ApplicationError::Conflict)
    }

    /// Under which of its names a service is a user, or would be one. Of the holders only active programs are services:
    /// it must not pass for a person, nor for a user whose access has ended.
    async fn service_name(&self, tenant: TenantId, name: &str) -> Result<ServiceName, ApplicationError> {
        for username in usernames(name) {
            let Some(id) = self.read_models.user_by_name(tenant, &username).await? else {
                return Ok(ServiceName::Free(username));
            };
            let stream = self.stream_at::<User>(tenant, id.0).await?.ok_or(ApplicationError::UnknownUser(id))?;
            let user: User = self.streams.state(tenant, &stream).await?;
            if user.is_active() && user.role == Some(Role::App) {
                return Ok(ServiceName::Of(id));
            }
        }
        Ok(ServiceName::Taken)
    }
}

/// How a service's name stands.
enum ServiceName {
    /// It is this user's.
    Of(UserId),
    /// Nobody has it yet.
    Free(String),
    /// It and its substitute are others'.
    Taken,
}

/// The names that a service has as a user: its own, and what it is called where that is another's.
fn usernames(name: &str) -> [String; 2] {
    let printable = || name.chars().filter(|c| !c.is_control());
    let substitute: String = printable().take(NAME_LENGTH - SUFFIX.len()).chain(SUFFIX.chars()).collect();
    [printable().take(NAME_LENGTH).collect(), substitute]
}

/// What the substitute ends with.
const SUFFIX: &str = " (service)";
/// The longest name of a user (errors-and-limits §8), in characters.
const NAME_LENGTH: usize = 150;
