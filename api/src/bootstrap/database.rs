//! The database a process works on: the configured one, or the embedded one.

use std::path::Path;

use chatledger_infrastructure::{
    config::Config,
    postgres::{Embedded, Pool, check_settings, connect, migrate, readers},
};

use super::StartError;

/// A database in this program's form.
pub struct Database {
    pub pool: Pool,
    /// For the questions of the APIs: each sees one tenant only.
    pub readers: Pool,
    pub url: String,
    embedded: Option<Embedded>,
}

impl Database {
    /// Opens it; starts the embedded server where none is configured.
    pub async fn open(config: &Config) -> Result<Self, StartError> {
        let (url, embedded) = match &config.database_url {
            Some(url) => (url.clone(), None),
            None => {
                let dir = Path::new(&config.data_dir);
                std::fs::create_dir_all(dir).map_err(|e| StartError::File(config.data_dir.clone(), e))?;
                let embedded = Embedded::start(dir).await?;
                (embedded.url().to_owned(), Some(embedded))
            }
        };
        Self::open_url(url, embedded, config).await
    }

    /// The same for a command beside a server: the embedded database that runs already, where one does.
    pub async fn open_beside(config: &Config) -> Result<Self, StartError> {
        if config.database_url.is_none()
            && let Some(url) = Embedded::running(Path::new(&config.data_dir)).await
        {
            return Self::open_url(url, None, config).await;
        }
        Self::open(config).await
    }

    async fn open_url(url: String, embedded: Option<Embedded>, config: &Config) -> Result<Self, StartError> {
        let pool = connect(&url, config.max_connections)?;
        check_settings(&pool).await?;
        migrate(&pool).await.map_err(|e| StartError::Migrate(e.into()))?;
        let readers = readers(&pool, &url, config.max_connections / 2).await?.unwrap_or_else(|| pool.clone());
        Ok(Self { pool, readers, url, embedded })
    }

    /// Whether it is an embedded one that runs for this process alone.
    pub fn is_only_ours(&self) -> bool {
        self.embedded.is_some()
    }

    /// Closes the connections and stops the embedded server.
    pub async fn close(self) {
        self.readers.close().await;
        self.pool.close().await;
        if let Some(embedded) = self.embedded {
            embedded.stop().await;
        }
    }
}
