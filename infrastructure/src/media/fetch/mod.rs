//! Fetches the files that customers send (R-MED-3).
//!
//! The sender's follower makes a row of work of every file that a message brings; here rows are claimed, the bytes
//! fetched from WhatsApp, held to the hash that the message tells, stored, and recorded. With any number of servers:
//! a file is recorded once; a row of a dead server is taken again after its lease; what WhatsApp does not give now is
//! asked for again, until it says that the file is gone or a week is over.

mod rows;
mod work;

use std::{sync::Arc, time::Duration};

use chatledger_application::ports::{
    access_tokens::AccessTokens,
    directory::Directory,
    media::{MediaStore, RecordMedia, WhatsAppMedia},
};
use sqlx::PgPool;
use tokio::{sync::Semaphore, task::JoinHandle, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// What the fetcher works with.
#[derive(Clone)]
pub struct Parts {
    /// The database.
    pub pool: PgPool,
    /// The number of a tenant.
    pub directory: Arc<dyn Directory>,
    /// The access token of a tenant.
    pub tokens: Arc<dyn AccessTokens>,
    /// Where files come from.
    pub whatsapp: Arc<dyn WhatsAppMedia>,
    /// Where their bytes go.
    pub store: Arc<dyn MediaStore>,
    /// Where what became of them is recorded.
    pub record: Arc<dyn RecordMedia>,
}

/// How the fetcher works.
#[derive(Clone, Copy, Debug)]
pub struct FetcherConfig {
    /// Files at once, over all tenants.
    pub parallel: usize,
    /// How long a claimed row is ours without a sign of life.
    pub lease: Duration,
    /// How long WhatsApp may be silent within a file.
    pub silence: Duration,
    /// How long one file may take.
    pub deadline: Duration,
    /// After this long a file is given up.
    pub expires: Duration,
    /// How often the rows are looked at.
    pub poll: Duration,
    /// How long a stop waits for files under way.
    pub grace: Duration,
}

impl Default for FetcherConfig {
    fn default() -> Self {
        Self {
            parallel: 8,
            lease: Duration::from_secs(25),
            silence: Duration::from_secs(20),
            deadline: Duration::from_secs(600),
            expires: Duration::from_secs(7 * 86_400),
            poll: Duration::from_millis(250),
            grace: Duration::from_secs(5),
        }
    }
}

/// What the tasks of one fetcher share.
struct Shared {
    parts: Parts,
    config: FetcherConfig,
}

/// A running fetcher.
pub struct Fetcher {
    stop: CancellationToken,
    grace: Duration,
    task: JoinHandle<()>,
}

impl Fetcher {
    /// Starts to fetch. Must be called within a Tokio runtime.
    #[must_use]
    pub fn start(parts: Parts, config: FetcherConfig) -> Self {
        let stop = CancellationToken::new();
        let task = tokio::spawn(run(Arc::new(Shared { parts, config }), stop.clone()));
        Self { stop, grace: config.grace, task }
    }

    /// Stops: files under way are finished within the grace, or left to whoever comes next.
    pub async fn stop(mut self) {
        self.stop.cancel();
        if timeout(self.grace + Duration::from_secs(1), &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}

async fn run(shared: Arc<Shared>, stop: CancellationToken) {
    let config = shared.config;
    let (places, under_way) = (Arc::new(Semaphore::new(config.parallel)), TaskTracker::new());
    let ending = CancellationToken::new();
    loop {
        let free = places.available_permits();
        let claimed = if free == 0 {
            Vec::new()
        } else {
            rows::claim(&shared.parts.pool, free as i64, config.lease).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "files wait: they could not be claimed");
                Vec::new()
            })
        };
        let full = free > 0 && claimed.len() == free;
        for row in claimed {
            let (shared, ending) = (shared.clone(), ending.clone());
            // Nobody else takes places, so there is one.
            let place = places.clone().try_acquire_owned().ok();
            under_way.spawn(async move {
                tokio::select! {
                    () = work::fetch(&shared, &row) => {}
                    () = ending.cancelled() => {}
                }
                drop(place);
            });
        }
        tokio::select! {
            () = stop.cancelled() => break,
            _ = places.acquire(), if full => {}
            () = tokio::time::sleep(config.poll) => {}
        }
    }
    under_way.close();
    if timeout(config.grace, under_way.wait()).await.is_err() {
        ending.cancel();
    }
}
