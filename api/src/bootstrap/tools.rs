//! What the operator's commands work with: the application on a database, without HTTP.

use std::sync::Arc;

use chatledger_application::{
    Application,
    ports::{
        Unavailable,
        clock::Random,
        deliveries::{DeliveryCondition, DeliveryLog},
        directory::TenantEntry,
    },
};
use chatledger_domain::{GroupId, Position, Role, TenantId, UserId};
use chatledger_infrastructure::{
    config::Config,
    deliveries::PgDeliveryLog,
    postgres::{PgLedger, Pool, ShownEvent, show},
    system::SystemRandom,
};
use chatledger_projections::views::{PageRequest, UserView, WebhookView};
use chatledger_projections::{Engine, EngineHandle, Options};

use super::{SandboxSecrets, StartError, database::Database, sandbox, server::Core};

/// A webhook as the operator sees it.
pub struct ToolWebhook {
    /// Whose inbox it is of.
    pub tenant: TenantId,
    /// The tenant's short name.
    pub slug: String,
    /// The webhook.
    pub view: WebhookView,
    /// Its deliveries.
    pub condition: DeliveryCondition,
}

/// An open database with the application on it.
pub struct Tools {
    /// The use cases.
    pub application: Arc<Application>,
    deliveries: PgDeliveryLog,
    pub(super) core: Core,
    /// `None` where the commands only look, and leave the read models to others.
    engine: Option<EngineHandle>,
    pub(super) database: Database,
}

impl Tools {
    /// Opens the configured database, or the embedded one, also beside a running server.
    ///
    /// # Errors
    /// What is wrong, in words for the operator.
    pub async fn open(config: Config) -> Result<Self, StartError> {
        Self::open_on(without_secrets(config)?, true).await
    }

    /// The same for commands that look at the ledger or at read models as they are: nothing is folded meanwhile.
    ///
    /// # Errors
    /// What is wrong, in words for the operator.
    pub async fn open_to_look(config: Config) -> Result<Self, StartError> {
        Self::open_on(without_secrets(config)?, false).await
    }

    /// The same for commands that keep secrets: the master key must be set.
    ///
    /// # Errors
    /// What is wrong, in words for the operator.
    pub async fn open_with_key(mut config: Config) -> Result<Self, StartError> {
        use_sandbox_key(&mut config)?;
        Self::open_on(config, true).await
    }

    async fn open_on(config: Config, with_engine: bool) -> Result<Self, StartError> {
        let database = Database::open_beside(&config).await?;
        let ledger = Arc::new(PgLedger::new(database.pool.clone()));
        let engine = with_engine.then(|| Engine::start(database.pool.clone(), ledger.clone(), Options::default()));
        let core = Core::new(&config, &database, ledger, engine.as_ref(), None)?;
        let deliveries = PgDeliveryLog::new(database.pool.clone());
        Ok(Self { application: core.application.clone(), deliveries, core, engine, database })
    }

    /// The database, for the other tools.
    pub(super) fn pool(&self) -> &Pool {
        &self.database.pool
    }

    /// Closes it.
    pub async fn close(self) {
        if let Some(engine) = self.engine {
            engine.stop().await;
        }
        self.database.close().await;
    }

    /// The database they are on.
    pub(super) fn database(&self) -> &Database {
        &self.database
    }

    /// All tenants.
    ///
    /// # Errors
    /// The database's fault.
    pub async fn tenants(&self) -> Result<Vec<TenantEntry>, StartError> {
        let all = self.core.directory.all().await.map_err(|e| StartError::Database(e.into()))?;
        Ok(all.to_vec())
    }

    /// The built-in group of a role.
    ///
    /// # Errors
    /// The database's fault.
    pub async fn built_in_group(&self, tenant: TenantId, role: Role) -> Result<Option<GroupId>, StartError> {
        sandbox::built_in_group(&self.core, tenant, role).await
    }

    /// The users of a tenant whose access has not ended.
    ///
    /// # Errors
    /// The database's fault.
    pub async fn users(&self, tenant: TenantId) -> Result<Vec<UserView>, StartError> {
        let all = PageRequest { limit: i64::MAX, offset: 0 };
        let page = self.core.inbox.users(tenant, all).await.map_err(|e| StartError::Database(e.into()))?;
        Ok(page.rows)
    }

    /// The id of the user with this name, in any case.
    ///
    /// # Errors
    /// The database's fault.
    pub async fn user_named(&self, tenant: TenantId, username: &str) -> Result<Option<UserId>, StartError> {
        self.core.models.user_by_name(tenant, username).await.map_err(|e| StartError::Database(e.into()))
    }

    /// The webhooks of the tenant with this short name or of all tenants, with how their deliveries are.
    ///
    /// # Errors
    /// The database's fault, or that there is no such tenant.
    pub async fn webhooks(&self, slug: Option<&str>) -> Result<Vec<ToolWebhook>, StartError> {
        let fault = |error: Unavailable| StartError::Database(error.into());
        let mut tenants = self.tenants().await?;
        tenants.retain(|tenant| slug.is_none_or(|slug| tenant.slug == slug));
        if let (Some(slug), true) = (slug, tenants.is_empty()) {
            return Err(StartError::Other(format!("no tenant is called {slug}")));
        }
        let all = PageRequest { limit: i64::MAX, offset: 0 };
        let mut webhooks = Vec::new();
        for tenant in tenants {
            let views = self.core.inbox.webhooks_of(tenant.id, None, all).await.map_err(fault)?.rows;
            let ids: Vec<_> = views.iter().map(|view| view.id).collect();
            let conditions = self.deliveries.conditions(tenant.id, &ids).await.map_err(fault)?;
            let known = views.into_iter().zip(conditions);
            let slug = &tenant.slug;
            webhooks.extend(known.map(|(view, condition)| ToolWebhook {
                tenant: tenant.id,
                slug: slug.clone(),
                view,
                condition,
            }));
        }
        Ok(webhooks)
    }

    /// What became of deliveries.
    #[must_use]
    pub fn deliveries(&self) -> &dyn DeliveryLog {
        &self.deliveries
    }

    /// Events as they are stored.
    ///
    /// # Errors
    /// The database's fault.
    pub async fn show(
        &self,
        tenant: TenantId,
        stream: Option<(&str, &str)>,
        from: Position,
        limit: i64,
    ) -> Result<Vec<ShownEvent>, StartError> {
        Ok(show(&self.database.pool, tenant, stream, from, limit).await?)
    }
}

/// For commands that read no secret: a key of chance opens nothing and is forgotten.
fn without_secrets(mut config: Config) -> Result<Config, StartError> {
    use_sandbox_key(&mut config)?;
    if config.master_key.is_none() {
        config.master_key = key_of(&SystemRandom.hex(32));
    }
    Ok(config)
}

/// On a sandbox's folder, the sandbox's key.
fn use_sandbox_key(config: &mut Config) -> Result<(), StartError> {
    let dir = std::path::Path::new(&config.data_dir);
    if config.master_key.is_none() && dir.join("sandbox.json").is_file() {
        config.master_key = key_of(&SandboxSecrets::load_or_make(dir, &SystemRandom)?.master_key);
    }
    Ok(())
}

pub(super) fn key_of(digits: &str) -> Option<[u8; 32]> {
    hex::decode(digits).ok().and_then(|bytes| bytes.try_into().ok())
}
