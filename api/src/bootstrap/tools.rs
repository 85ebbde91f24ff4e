//! What the operator's commands work with: the application on a database, without HTTP.

use std::sync::Arc;

use chatledger_application::{
    Application,
    ports::{
        Unavailable,
        clock::Random,
        deliveries::{DeliveryCondition, DeliveryLog},
        directory::TenantEntry,
        ledger::Ledger,
    },
};
use chatledger_domain::{GroupId, Position, Role, TenantId, UserId};
use chatledger_infrastructure::{
    config::Config,
    deliveries::PgDeliveryLog,
    postgres::{PgLedger, ShownEvent, Verified, VerifyError, show, verify},
    system::SystemRandom,
};
use chatledger_projections::views::{PageRequest, UserView, WebhookView};
use chatledger_projections::{Engine, EngineHandle, Lag, Options, Progress, RebuildError, lag, names, rebuild};

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
    core: Core,
    engine: EngineHandle,
    database: Database,
}

impl Tools {
    /// Opens the configured database, or the embedded one, also beside a running server.
    ///
    /// # Errors
    /// What is wrong, in words for the operator.
    pub async fn open(mut config: Config) -> Result<Self, StartError> {
        use_sandbox_key(&mut config)?;
        if config.master_key.is_none() {
            // Commands that come this way read no secret. A key of chance opens nothing and is forgotten.
            config.master_key = key_of(&SystemRandom.hex(32));
        }
        Self::open_on(config).await
    }

    /// The same for commands that keep secrets: the master key must be set.
    ///
    /// # Errors
    /// What is wrong, in words for the operator.
    pub async fn open_with_key(mut config: Config) -> Result<Self, StartError> {
        use_sandbox_key(&mut config)?;
        Self::open_on(config).await
    }

    async fn open_on(config: Config) -> Result<Self, StartError> {
        let database = Database::open_beside(&config).await?;
        let ledger: Arc<dyn Ledger> = Arc::new(PgLedger::new(database.pool.clone()));
        let engine = Engine::start(database.pool.clone(), ledger.clone(), Options::default());
        let core = Core::new(&config, &database, ledger, Some(&engine), None)?;
        let deliveries = PgDeliveryLog::new(database.pool.clone());
        Ok(Self { application: core.application.clone(), deliveries, core, engine, database })
    }

    /// Closes it.
    pub async fn close(self) {
        self.engine.stop().await;
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

    /// The tenants that have a ledger, with the newest position of each.
    ///
    /// # Errors
    /// The database's fault.
    pub async fn ledgers(&self) -> Result<Vec<(TenantId, Position)>, StartError> {
        self.core.ledger.heads().await.map_err(|e| StartError::Database(e.into()))
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

    /// Proves a tenant's ledger.
    ///
    /// # Errors
    /// The first place where it is not as it was written.
    pub async fn verify(
        &self,
        tenant: TenantId,
        progress: impl FnMut(i64, i64) + Send,
    ) -> Result<Verified, VerifyError> {
        verify(&self.database.pool, tenant, progress).await
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

    /// Builds read models anew.
    ///
    /// # Errors
    /// The event that cannot be folded, or the database's fault.
    pub async fn rebuild(&self, names: &[String], progress: impl FnMut(Progress) + Send) -> Result<(), RebuildError> {
        rebuild(&self.database.pool, &self.core.ledger, names, progress).await
    }

    /// How far every read model is.
    ///
    /// # Errors
    /// The database's fault.
    pub async fn lag(&self) -> Result<Vec<Lag>, StartError> {
        lag(&self.database.pool, &self.core.ledger).await.map_err(|e| StartError::Database(e.into()))
    }

    /// The names of all read models.
    #[must_use]
    pub fn projections() -> Vec<&'static str> {
        names()
    }
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
