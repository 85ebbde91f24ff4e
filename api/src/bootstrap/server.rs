//! A running server: database, ledger, read models, sender and HTTP, started in this order and stopped in the other.

use std::{
    net::{SocketAddr, TcpListener},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use actix_web::{App, HttpServer, dev::ServerHandle};
use chatledger_application::{
    Application,
    application::Ports,
    ports::{
        contacts::ContactProvider, directory::Directory, ledger::Ledger, media::MediaStore, provider::Provider,
        read_models::ReadModels, recipients::Recipients, subscribers::Subscribers,
    },
};
use chatledger_domain::{Position, TenantId};
use chatledger_infrastructure::{
    config::Config,
    contact_providers::HttpContacts,
    deliveries::{Deliveries, PgDeliveryLog},
    media::{
        ObjectMedia,
        fetch::{Fetcher, FetcherConfig, Parts as FetcherParts},
    },
    outbound::{Parts as SenderParts, Sender, SenderConfig},
    plugins::HttpPlugins,
    postgres::{
        PgAuditTrail, PgDailyLimits, PgLedger, PgQuarantine, PgRateLimits, PgRefreshes, PgVault, Pool, ShownEvent,
        VerifyError, show, verify,
    },
    receipts::{Parts as ReceiptParts, Receipts},
    rules::Rules,
    system::{SystemClock, SystemRandom},
    whatsapp::{Endpoints, WhatsAppClient, provider::HttpProvider},
};
use chatledger_projections::{Engine, EngineHandle, Inbox, InternalContacts, Models, Options, TenantDirectory};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::task::JoinHandle;

use super::{
    StartError, addresses,
    bulk::BulkMessages,
    database::Database,
    deliveries,
    keys::{check_keys, keyring},
    probe::ServerProbe,
    rules,
    settings::{jwt, settings},
    upkeep::Upkeep,
    webhooks::SignedWebhooks,
    websockets,
};
use crate::{
    app::{self, ApiSettings, AppState, Parts},
    websocket::Hub,
};

/// How long requests may take to end when the server stops, in seconds.
const DRAIN: u64 = 10;

/// A running server.
pub struct Server {
    /// Where it is reached.
    pub base_url: String,
    /// The database it works on.
    pub database_url: String,
    /// The data folder.
    pub data_dir: String,
    /// The use cases, for set-up.
    pub application: Arc<Application>,
    /// The read models, for set-up.
    pub inbox: Inbox,
    pub(super) core: Core,
    stopping: Arc<AtomicBool>,
    farewell: Duration,
    hub: Arc<Hub>,
    http: ServerHandle,
    http_task: JoinHandle<std::io::Result<()>>,
    upkeep: Upkeep,
    bulk_messages: BulkMessages,
    deliveries: Deliveries,
    sender: Sender,
    receipts: Receipts,
    rules: Rules,
    fetcher: Fetcher,
    engine: EngineHandle,
    database: Database,
}

/// The ports in their real form; shared by the server and the operator's commands.
#[derive(Clone)]
pub(super) struct Core {
    pub ledger: Arc<dyn Ledger>,
    pub models: Arc<dyn ReadModels>,
    pub recipients: Arc<dyn Recipients>,
    pub subscribers: Arc<dyn Subscribers>,
    pub directory: Arc<dyn Directory>,
    pub vault: Arc<PgVault>,
    pub media: Arc<dyn MediaStore>,
    pub application: Arc<Application>,
    pub inbox: Inbox,
}

impl Core {
    /// Puts the application on a database; `engine` when this process keeps the read models in step.
    pub fn new(
        config: &Config,
        database: &Database,
        ledger: Arc<PgLedger>,
        engine: Option<&EngineHandle>,
        local: Option<SocketAddr>,
    ) -> Result<Self, StartError> {
        let pool = &database.pool;
        let watch = engine.map(EngineHandle::watch).unwrap_or_default();
        let models = Arc::new(Models::new(pool.clone(), watch.clone()));
        let recipients: Arc<dyn Recipients> = models.clone();
        let directory: Arc<dyn Directory> = Arc::new(TenantDirectory::new(pool.clone(), watch));
        let vault = Arc::new(PgVault::new(pool.clone(), keyring(config)?));
        let max_age = Duration::from_secs(u64::from(config.quarantine_max_age_days) * 86_400);
        let max_bytes = i64::try_from(config.quarantine_max_bytes).unwrap_or(i64::MAX);
        let addresses = Arc::new(addresses::guard(config, &database.url, local));
        let media: Arc<dyn MediaStore> = Arc::new(media_store(config)?);
        let application = Arc::new(Application::new(Ports {
            ledger: ledger.clone(),
            audit_trail: Arc::new(PgAuditTrail::new(pool.clone())),
            erasures: ledger.clone(),
            read_models: models.clone(),
            recipients: recipients.clone(),
            subscribers: models.clone(),
            contact_providers: contact_providers(config, pool)?,
            contact_check: Arc::new(whatsapp_client(config)?),
            directory: directory.clone(),
            vault: vault.clone(),
            access_tokens: vault.clone(),
            daily_limits: Arc::new(PgDailyLimits::new(pool.clone())),
            template_days: models.clone(),
            secrets: vault.clone(),
            quarantine: Arc::new(PgQuarantine::new(pool.clone(), max_age, max_bytes)),
            webhooks: Arc::new(SignedWebhooks {
                app_secrets: config.app_secrets.clone(),
                verify_token: config.verify_token.clone(),
            }),
            provider: provider(config)?,
            addresses,
            deliveries: Arc::new(PgDeliveryLog::new(pool.clone())),
            media: media.clone(),
            whatsapp_accounts: Arc::new(whatsapp_client(config)?),
            rate_limits: Arc::new(PgRateLimits::new(pool.clone())),
            refreshes: Arc::new(PgRefreshes::new(pool.clone())),
            refresh_after: Duration::from_secs(u64::from(config.refresh_after_minutes) * 60),
            plugins: Arc::new(plugins(config)?),
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
        }));
        let inbox = Inbox::new(database.readers.clone());
        Ok(Self {
            ledger,
            subscribers: models.clone(),
            models,
            recipients,
            directory,
            vault,
            media,
            application,
            inbox,
        })
    }
}

impl Server {
    /// Starts everything; returns once the port answers.
    ///
    /// # Errors
    /// What is wrong, in words for the operator.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let listener = listen(&config.listen)?;
        Self::start_on(listener, config).await
    }

    /// The same on a socket that is bound already.
    pub(super) async fn start_on(listener: TcpListener, config: Config) -> Result<Self, StartError> {
        let local = listener.local_addr().map_err(|e| StartError::Listen(config.listen.clone(), e))?;
        let base_url = config.public_url.clone().unwrap_or_else(|| format!("http://{local}"));
        let metrics = metrics_recorder();
        let database = Database::open(&config).await?;
        let ledger = Arc::new(PgLedger::new(database.pool.clone()));
        super::read_models::say_outdated(&database.pool).await?;
        let engine = Engine::start(database.pool.clone(), ledger.clone(), Options::default());
        let core = Core::new(&config, &database, ledger, Some(&engine), Some(local))?;
        check_keys(&core.vault).await?;
        let whatsapp = Arc::new(whatsapp_client(&config)?);
        let sender = Sender::start(
            SenderParts {
                pool: database.pool.clone(),
                ledger: core.ledger.clone(),
                read_models: core.models.clone(),
                directory: core.directory.clone(),
                tokens: core.vault.clone(),
                whatsapp: whatsapp.clone(),
                media: whatsapp.clone(),
                store: core.media.clone(),
                settle: core.application.clone(),
                clock: Arc::new(SystemClock),
            },
            SenderConfig { rate: config.rate_per_number, ..SenderConfig::default() },
        );
        let receipts = Receipts::start(ReceiptParts {
            pool: database.pool.clone(),
            ledger: core.ledger.clone(),
            read_models: core.models.clone(),
            directory: core.directory.clone(),
            tokens: core.vault.clone(),
            receipts: whatsapp.clone(),
        });
        let rules = rules::start(&config, &core, &database, local, &base_url).await?;
        let fetcher = Fetcher::start(
            FetcherParts {
                pool: database.pool.clone(),
                directory: core.directory.clone(),
                tokens: core.vault.clone(),
                whatsapp,
                store: core.media.clone(),
                record: core.application.clone(),
            },
            FetcherConfig::default(),
        );
        let deliveries = deliveries::start(&config, &database, &core, (local, &base_url)).await?;
        let stopping = Arc::new(AtomicBool::new(false));
        let probe = Arc::new(ServerProbe {
            stopping: stopping.clone(),
            pool: database.pool.clone(),
            ledger: core.ledger.clone(),
        });
        let hub = websockets::start(&config, &core, &base_url);
        let state = AppState::new(Parts {
            application: core.application.clone(),
            inbox: core.inbox.clone(),
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            probe,
            metrics,
            hub: hub.clone(),
            settings: ApiSettings { jwt: jwt(&config)?, ..settings(&config) },
        });
        let (http, http_task) = serve(listener, &config, state)?;
        let upkeep = Upkeep::start(&core, database.pool.clone());
        let bulk_messages = BulkMessages::start(core.clone());
        Ok(Self {
            base_url,
            database_url: database.url.clone(),
            data_dir: absolute(&config.data_dir),
            application: core.application.clone(),
            inbox: core.inbox.clone(),
            core,
            stopping,
            farewell: Duration::from_millis(u64::from(config.farewell_ms)),
            hub,
            http,
            http_task,
            upkeep,
            bulk_messages,
            deliveries,
            sender,
            receipts,
            rules,
            fetcher,
            engine,
            database,
        })
    }

    /// Where the documentation is.
    #[must_use]
    pub fn docs_url(&self) -> String {
        format!("{}/docs/", self.base_url)
    }

    /// Whether nobody has created a tenant yet.
    pub async fn has_no_tenant(&self) -> bool {
        self.core.directory.all().await.is_ok_and(|tenants| tenants.is_empty())
    }

    /// The newest position of a tenant's ledger.
    ///
    /// # Errors
    /// The database's fault.
    pub async fn head(&self, tenant: TenantId) -> Result<Position, StartError> {
        self.core.ledger.head(tenant).await.map_err(|e| StartError::Database(e.into()))
    }

    /// Proves a tenant's ledger: how many events, and the head hash in hexadecimal digits.
    ///
    /// # Errors
    /// The first place where it is not as it was written.
    pub async fn verify(&self, tenant: TenantId) -> Result<(i64, String), VerifyError> {
        let verified = verify(&self.database.pool, tenant, |_, _| {}).await?;
        Ok((verified.events, hex::encode(verified.head_hash)))
    }

    /// Up to a hundred events after a position, as they are stored.
    ///
    /// # Errors
    /// The database's fault.
    pub async fn recorded_after(&self, tenant: TenantId, after: Position) -> Result<Vec<ShownEvent>, StartError> {
        Ok(show(&self.database.pool, tenant, None, Position(after.0 + 1), 100).await?)
    }

    /// Stops: not ready, websockets closed, every answer the last of its connection, then no new requests, requests in
    /// flight end, then sender, read models, database.
    pub async fn stop(self) {
        self.stopping.store(true, Ordering::SeqCst);
        tokio::join!(tokio::time::sleep(self.farewell), self.hub.stop());
        self.http.stop(true).await;
        let _ = self.http_task.await;
        self.upkeep.stop();
        self.bulk_messages.stop();
        self.deliveries.stop().await;
        self.sender.stop().await;
        self.rules.stop().await;
        self.receipts.stop().await;
        self.fetcher.stop().await;
        self.engine.stop().await;
        self.database.close().await;
    }
}

/// Binds before anything else, so that a taken port is known at once.
pub(super) fn listen(address: &str) -> Result<TcpListener, StartError> {
    let listener = TcpListener::bind(address).map_err(|e| StartError::Listen(address.to_owned(), e))?;
    websockets::limit_stuck_clients(&listener);
    Ok(listener)
}

fn serve(
    listener: TcpListener,
    config: &Config,
    state: actix_web::web::Data<AppState>,
) -> Result<(ServerHandle, JoinHandle<std::io::Result<()>>), StartError> {
    let workers = match config.workers {
        0 => std::thread::available_parallelism().map_or(2, std::num::NonZero::get),
        set => set,
    };
    let configure = app::configure(state);
    let server = HttpServer::new(move || App::new().configure(configure.clone()))
        .workers(workers)
        .shutdown_timeout(DRAIN)
        .disable_signals()
        .listen(listener)
        .map_err(|e| StartError::Listen(config.listen.clone(), e))?
        .run();
    Ok((server.handle(), tokio::spawn(server)))
}

fn media_store(config: &Config) -> Result<ObjectMedia, StartError> {
    ObjectMedia::open(config.media_place(), config.media_quota)
        .map_err(|error| StartError::Other(format!("media cannot be kept: {}", error.source)))
}

fn whatsapp_client(config: &Config) -> Result<WhatsAppClient, StartError> {
    let endpoints = Endpoints {
        graph_url: config.graph_url.clone(),
        d360_url: config.d360_url.clone(),
        onpremises_url: config.onpremises_url.clone(),
        ..Endpoints::default()
    };
    WhatsAppClient::new(endpoints).map_err(|error| StartError::Other(error.to_string()))
}

fn plugins(config: &Config) -> Result<HttpPlugins, StartError> {
    HttpPlugins::new(&config.plugins).map_err(|error| StartError::Other(error.to_string()))
}

fn provider(config: &Config) -> Result<Option<Arc<dyn Provider>>, StartError> {
    let Some(url) = config.provider_url.clone() else { return Ok(None) };
    let provider = HttpProvider::new(url).map_err(|error| StartError::Other(error.to_string()))?;
    Ok(Some(Arc::new(provider)))
}

/// The built-in address book, then those of the configuration, by name.
fn contact_providers(config: &Config, pool: &Pool) -> Result<Vec<Arc<dyn ContactProvider>>, StartError> {
    let mut providers: Vec<Arc<dyn ContactProvider>> = vec![Arc::new(InternalContacts::new(pool.clone()))];
    for (name, url) in &config.contact_providers {
        let made = HttpContacts::new(name.clone(), url).map_err(|error| StartError::Other(error.to_string()))?;
        providers.push(Arc::new(made));
    }
    Ok(providers)
}

/// One recorder a process, however many servers are started in it.
fn metrics_recorder() -> Option<PrometheusHandle> {
    static RECORDER: std::sync::OnceLock<Option<PrometheusHandle>> = std::sync::OnceLock::new();
    RECORDER.get_or_init(|| PrometheusBuilder::new().install_recorder().ok()).clone()
}

fn absolute(dir: &str) -> String {
    Path::new(dir).canonicalize().map_or_else(|_| dir.to_owned(), |dir| dir.to_string_lossy().into_owned())
}
