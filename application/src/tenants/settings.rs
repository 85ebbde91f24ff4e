//! Changes a tenant's settings: its operator from the command line, its admins what is theirs.

use chatledger_domain::{
    TenantId, UserId,
    tenant::{Settings, Tenant, TenantCommand},
};

use crate::{
    application::{Application, Context},
    chats::TENANT,
    error::ApplicationError,
    streams::StreamOf,
};

impl Application {
    /// A tenant's settings, as recorded.
    ///
    /// # Errors
    /// [`ApplicationError::UnknownTenant`].
    pub async fn tenant_settings(&self, tenant: TenantId) -> Result<Settings, ApplicationError> {
        let state: Tenant = self.streams.state(tenant, TENANT).await?;
        if state.exists { Ok(state.settings) } else { Err(ApplicationError::UnknownTenant) }
    }

    /// Changes settings for the operator; all of them from now on.
    ///
    /// # Errors
    /// [`ApplicationError::UnknownTenant`].
    pub async fn set_tenant(
        &self,
        tenant: TenantId,
        change: impl Fn(&mut Settings),
    ) -> Result<Settings, ApplicationError> {
        let metadata = self.system("operator", None);
        self.change_settings(tenant, None, &metadata, change).await
    }

    /// Says whether API tokens are accepted (R-TOK-1).
    ///
    /// # Errors
    /// [`ApplicationError::NotAllowed`] for others than admins.
    pub async fn set_api_access(&self, context: &Context, enabled: bool) -> Result<Settings, ApplicationError> {
        if !context.actor.is_admin() {
            return Err(ApplicationError::NotAllowed);
        }
        let change = |settings: &mut Settings| settings.api_access = enabled;
        self.change_settings(context.tenant, Some(context.actor.user), &context.metadata(), change).await
    }

    async fn change_settings(
        &self,
        tenant: TenantId,
        done_by: Option<UserId>,
        metadata: &std::sync::Arc<crate::ports::ledger::Metadata>,
        change: impl Fn(&mut Settings),
    ) -> Result<Settings, ApplicationError> {
        let streams = [StreamOf::new::<Tenant>(TENANT)];
        let done = self
            .streams
            .transact(tenant, &streams, metadata, self.clock.now(), |d| {
                // On what is set now, so that two changes of different settings do not undo each other.
                let mut settings = d.state::<Tenant>(TENANT).settings;
                change(&mut settings);
                d.decide::<Tenant>(TENANT, TenantCommand::ChangeSettings { settings: settings.clone(), done_by })?;
                Ok::<_, ApplicationError>(settings)
            })
            .await?;
        self.settle(tenant, done.position()).await;
        Ok(done.value)
    }
}
