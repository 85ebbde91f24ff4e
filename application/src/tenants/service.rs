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

    /// The user that a service acts as: the one whose id or name it bears; `None` before it has done anything.
    ///
    /// # Errors
    /// A port's fault.
    pub async fn service_user(&self, tenant: TenantId, name: &str) -> Result<Option<UserId>, ApplicationError> {
        if let Ok(id) = name.parse()
            && self.stream_at::<User>(tenant, id).await?.is_some()
        {
            return Ok(Some(UserId(id)));
        }
        Ok(self.read_models.user_by_name(tenant, &username(name)).await?)
    }

    /// Makes the user that a service acts as, for something that it may do. It has neither password nor token and cannot
    /// log in; it is there so that events and lists say who did what.
    ///
    /// # Errors
    /// A port's fault.
    pub async fn create_service_user(
        &self,
        tenant: TenantId,
        name: &str,
        correlation_id: String,
    ) -> Result<UserId, ApplicationError> {
        let groups: BTreeSet<_> =
            self.read_models.built_in_groups(tenant).await?.get(&Role::App).copied().into_iter().collect();
        let (stream, username) = (self.random.uuid().to_string(), username(name));
        let create = UserCommand::Create {
            username: username.clone(),
            first_name: username.clone(),
            last_name: String::new(),
            email: String::new(),
            role: Role::App,
            groups,
            done_by: None,
        };
        let metadata = Arc::new(Metadata { correlation_id, ..Metadata::clone(&self.system("service", None)) });
        let streams = [StreamOf::new::<User>(&stream)];
        let created = self
            .streams
            .transact(tenant, &streams, &metadata, self.clock.now(), |d| {
                d.decide::<User>(&stream, create.clone())?;
                d.decide::<User>(&stream, UserCommand::Activate)
            })
            .await;
        match created {
            Ok(done) => {
                self.settle(tenant, done.position()).await;
                let first = done.recorded.first().map(|recorded| UserId(recorded.position.0));
                first.ok_or(ApplicationError::Conflict)
            }
            // Another request of the same service was faster.
            Err(ApplicationError::NameTaken) => {
                let head = self.ledger.head(tenant).await?;
                self.settle(tenant, Some(head)).await;
                self.read_models.user_by_name(tenant, &username).await?.ok_or(ApplicationError::NameTaken)
            }
            Err(error) => Err(error),
        }
    }
}

/// A service's name as a user's.
fn username(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(NAME_LENGTH).collect()
}

/// The longest name of a user (errors-and-limits §8), in characters.
const NAME_LENGTH: usize = 150;
