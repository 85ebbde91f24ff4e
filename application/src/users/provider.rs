//! A provider's key instead of a user's token: it opens the inbox of its number (R-AUTH-5 … R-AUTH-8).

use chatledger_domain::{AnyEvent, Position, Role, TenantId, UserId, user::UserEvent};

use crate::{application::Application, error::ApplicationError, ports::Unavailable};

impl Application {
    /// The user for whom a provider's key stands; `None` when the key is not valid for the tenant's number, the tenant
    /// takes none, or has no active admin.
    ///
    /// # Errors
    /// The fault of a port; the provider has none, it only does not take the key.
    pub async fn user_of_provider_key(&self, tenant: TenantId, key: &str) -> Result<Option<UserId>, ApplicationError> {
        if !self.is_provider_key(tenant, key).await? {
            return Ok(None);
        }
        self.acting_admin(tenant).await
    }

    async fn is_provider_key(&self, tenant: TenantId, key: &str) -> Result<bool, Unavailable> {
        let Some(entry) = self.directory.by_id(tenant).await? else { return Ok(false) };
        let (true, Some(number)) = (entry.settings.provider_authentication, entry.number) else { return Ok(false) };
        match &self.provider {
            Some(provider) => Ok(provider.takes(key, &number).await),
            None => self.access_tokens.is(tenant, &number.phone_number_id, key).await,
        }
    }

    /// The admin with whom the inbox was created, while it is an active admin; else the oldest active one (R-AUTH-6).
    async fn acting_admin(&self, tenant: TenantId) -> Result<Option<UserId>, ApplicationError> {
        let users = self.read_models.users_by_age(tenant).await?;
        for (user, is_active_admin) in &users {
            if self.was_created_as_admin(tenant, *user).await? {
                if *is_active_admin {
                    return Ok(Some(*user));
                }
                break;
            }
        }
        Ok(users.into_iter().find(|(_, is_active_admin)| *is_active_admin).map(|(user, _)| user))
    }

    async fn was_created_as_admin(&self, tenant: TenantId, user: UserId) -> Result<bool, ApplicationError> {
        let created = self.ledger.at(tenant, Position(user.0)).await?.map(|recorded| recorded.event);
        Ok(matches!(created, Some(AnyEvent::User(UserEvent::UserCreated(e))) if e.role == Role::Admin))
    }
}
