//! Whose token this is, and which tenant a request is for.

use chatledger_domain::{TenantId, UserId};

use crate::{application::Application, error::ApplicationError, ports::Unavailable};

impl Application {
    /// The tenant and user of a token (R-AUTH-2); `None` for a token that is not one of ours.
    ///
    /// # Errors
    /// The vault's fault.
    pub async fn authenticate(&self, token: &str) -> Result<Option<(TenantId, UserId)>, ApplicationError> {
        let tenants = self.tenants_of_secret(token).await?;
        if tenants.is_empty() {
            return Ok(None);
        }
        Ok(self.vault.user_of_token(&tenants, token).await?)
    }

    /// The tenants that a secret of ours may belong to: nearly always one or none.
    pub(crate) async fn tenants_of_secret(&self, secret: &str) -> Result<Vec<TenantId>, Unavailable> {
        match secret.get(..8) {
            Some(tag) => self.directory.by_tag(tag).await,
            None => Ok(Vec::new()),
        }
    }

    /// The tenant of a call without credential: by host, else by slug, else the only one there is (R-GEN-2).
    ///
    /// # Errors
    /// The directory's fault.
    pub async fn resolve_tenant(
        &self,
        host: Option<&str>,
        slug: Option<&str>,
    ) -> Result<Option<TenantId>, ApplicationError> {
        if let Some(host) = host
            && let Some(tenant) = self.tenant_of_host(host).await?
        {
            return Ok(Some(tenant));
        }
        if let Some(slug) = slug {
            return Ok(self.directory.by_slug(slug).await?.map(|entry| entry.id));
        }
        Ok(match &*self.directory.all().await? {
            [only] => Some(only.id),
            _ => None,
        })
    }

    /// The tenant that a host is registered for.
    ///
    /// # Errors
    /// The directory's fault.
    pub async fn tenant_of_host(&self, host: &str) -> Result<Option<TenantId>, ApplicationError> {
        Ok(self.directory.by_host(&host.to_lowercase()).await?.map(|entry| entry.id))
    }
}
