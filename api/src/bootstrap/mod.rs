//! Puts the parts together; the one place, with `main.rs`, that names infrastructure.

mod addresses;
mod analytics;
mod bulk;
mod database;
mod deliveries;
mod keys;
mod life;
mod probe;
mod proof;
mod read_models;
mod rules;
mod sandbox;
mod server;
mod settings;
mod simulator;
mod state;
mod tools;
mod upkeep;
mod webhooks;
mod websockets;

pub use chatledger_infrastructure::analytics::{Export, Format, Reader, View};
pub use chatledger_infrastructure::config::{Config, ConfigErrors, DEFAULTS as CONFIG_DEFAULTS};
pub use chatledger_infrastructure::postgres::{
    ArchiveError, ArchiveProgress, ArchiveStep, Archived, Broken, Deleted, DeletionError, DeletionStep, Marks,
    RotateError, Rotated, ShownEvent, Verified, VerifyError,
};
pub use chatledger_infrastructure::proof::{Checkpoint, CheckpointKey, KeyError, Proof, PublicKey};
pub use proof::{checkpoint_key, create_checkpoint_key};
pub use sandbox::{Login, Sandbox};
pub use server::Server;
pub use simulator::{StandaloneSimulator, sandbox_simulator_url};
pub use state::SandboxSecrets;
pub use tools::{ToolWebhook, Tools};

use chatledger_infrastructure::postgres::{DatabaseError, EmbeddedError, SettingsError};

/// Why the program does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// The embedded database does not start.
    #[error(transparent)]
    Embedded(#[from] EmbeddedError),
    /// The database may lose data, or cannot be reached.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The database cannot be used.
    #[error("the database cannot be used")]
    Database(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The database holds another form than this program expects.
    #[error("the database cannot be brought to this program's form")]
    Migrate(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A folder or file cannot be used.
    #[error("{0} cannot be used")]
    File(String, #[source] std::io::Error),
    /// The address cannot be listened on.
    #[error("cannot listen on {0}")]
    Listen(String, #[source] std::io::Error),
    /// Something else.
    #[error("{0}")]
    Other(String),
}

impl From<DatabaseError> for StartError {
    fn from(error: DatabaseError) -> Self {
        Self::Database(error.into())
    }
}

/// Logs as configured, on standard error, so that standard output stays the commands'.
pub fn init_logs(config: &Config) {
    use tracing_subscriber::{EnvFilter, fmt};
    let filter = EnvFilter::try_new(&config.log_filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let color = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let logs = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(color);
    // A second call, as in tests, changes nothing.
    let _ = if config.json_logs { logs.json().try_init() } else { logs.try_init() };
}

/// Waits for Ctrl-C or SIGTERM.
pub async fn until_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}

/// A client for calls of the command line to servers on this machine.
///
/// # Errors
/// When there is no TLS on this machine.
pub fn http_client() -> Result<reqwest::Client, reqwest::Error> {
    // Installing it twice is no error worth telling.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().timeout(std::time::Duration::from_secs(30)).build()
}
