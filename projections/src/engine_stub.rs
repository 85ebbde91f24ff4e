//! Keeps the read models in step with the ledger.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chatledger_application::ports::{
    Unavailable,
    directory::{Directory, TenantEntry},
    ledger::Ledger,
    read_models::{MessageRef, ReadModels, Sent, StandingTagging},
};
use chatledger_domain::{MessageId, Position, TagId, TenantId, UserId};
use sqlx::PgPool;

/// How the engine works; the default is right for a server.
#[derive(Clone, Debug)]
pub struct Options {
    /// At most so many events in a transaction.
    pub page: i64,
    /// How often the heads are looked at, whatever the feed says.
    pub poll: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { page: 2_000, poll: Duration::from_millis(400) }
    }
}

/// How far this process has applied, for those who wait. Cheap to clone; the default one is told nothing.
#[derive(Clone, Debug, Default)]
pub struct Watch;

/// Applies the ledger of every tenant to the read models.
#[derive(Debug)]
pub struct Engine;

impl Engine {
    /// Starts applying, in tasks of its own.
    #[must_use]
    pub fn start(_pool: PgPool, _ledger: Arc<dyn Ledger>, _options: Options) -> EngineHandle {
        EngineHandle { watch: Watch }
    }
}

/// A running engine; dropping it stops the engine too, without waiting.
#[derive(Debug)]
pub struct EngineHandle {
    watch: Watch,
}

impl EngineHandle {
    /// How far this process has applied.
    #[must_use]
    pub fn watch(&self) -> Watch {
        self.watch.clone()
    }

    /// Stops after the page at hand.
    pub async fn stop(self) {}
}

/// What use cases ask of the read models.
#[derive(Clone, Debug)]
pub struct Models {
    pool: PgPool,
    watch: Watch,
}

impl Models {
    /// Over a pool; `watch` is the engine's, or the default where none runs in this process.
    #[must_use]
    pub fn new(pool: PgPool, watch: Watch) -> Self {
        Self { pool, watch }
    }
}

#[async_trait]
impl ReadModels for Models {
    async fn wait_for(&self, _: TenantId, _: Position, _: Duration) -> bool {
        let _ = (&self.pool, &self.watch);
        false
    }
    async fn message(&self, _: TenantId, _: &str) -> Result<Option<MessageRef>, Unavailable> {
        Err(Unavailable::new("the read model", "not built yet"))
    }
    async fn sent(&self, _: TenantId, _: MessageId) -> Result<Option<Sent>, Unavailable> {
        Err(Unavailable::new("the read model", "not built yet"))
    }
    async fn user_by_name(&self, _: TenantId, _: &str) -> Result<Option<UserId>, Unavailable> {
        Err(Unavailable::new("the read model", "not built yet"))
    }
    async fn taggings_with(&self, _: TenantId, _: TagId, _: i64) -> Result<Vec<StandingTagging>, Unavailable> {
        Err(Unavailable::new("the read model", "not built yet"))
    }
}

/// All tenants, held in memory.
#[derive(Clone, Debug)]
pub struct TenantDirectory {
    pool: PgPool,
    watch: Watch,
}

impl TenantDirectory {
    /// Over a pool; `watch` is the engine's, or the default where none runs in this process.
    #[must_use]
    pub fn new(pool: PgPool, watch: Watch) -> Self {
        Self { pool, watch }
    }
}

#[async_trait]
impl Directory for TenantDirectory {
    async fn all(&self) -> Result<Arc<[TenantEntry]>, Unavailable> {
        let _ = (&self.pool, &self.watch);
        Err(Unavailable::new("the read model", "not built yet"))
    }
    async fn by_id(&self, _: TenantId) -> Result<Option<TenantEntry>, Unavailable> {
        Err(Unavailable::new("the read model", "not built yet"))
    }
    async fn by_slug(&self, _: &str) -> Result<Option<TenantEntry>, Unavailable> {
        Err(Unavailable::new("the read model", "not built yet"))
    }
    async fn by_host(&self, _: &str) -> Result<Option<TenantEntry>, Unavailable> {
        Err(Unavailable::new("the read model", "not built yet"))
    }
    async fn by_phone_number_id(&self, _: &str) -> Result<Option<TenantEntry>, Unavailable> {
        Err(Unavailable::new("the read model", "not built yet"))
    }
    async fn by_tag(&self, _: &str) -> Result<Vec<TenantId>, Unavailable> {
        Err(Unavailable::new("the read model", "not built yet"))
    }
}

/// Why a rebuild stopped.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// No read model has this name.
    #[error("no read model is called {0}")]
    Unknown(String),
    /// An event cannot be folded.
    #[error("{projection} cannot fold the event at position {position} of tenant {tenant}: {error}")]
    Poison {
        /// The projection.
        projection: &'static str,
        /// The tenant.
        tenant: TenantId,
        /// The event's place.
        position: Position,
        /// Why.
        error: String,
    },
    /// The database or the ledger cannot be reached.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// How far a rebuild is, in events over all tenants and projections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Folded so far.
    pub done: i64,
    /// To fold in all.
    pub total: i64,
}

/// Builds read models anew from the ledger (`names` empty: all of them), while the live engine waits.
///
/// # Errors
/// See [`RebuildError`]; tenants that are done stay done, the others stay as they were.
pub async fn rebuild(
    _pool: &PgPool,
    _ledger: &Arc<dyn Ledger>,
    _names: &[String],
    _progress: impl FnMut(Progress) + Send,
) -> Result<(), RebuildError> {
    Err(Unavailable::new("the read model", "not built yet").into())
}

/// The names of all projections.
#[must_use]
pub fn names() -> Vec<&'static str> {
    Vec::new()
}

/// How far one projection is for one tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lag {
    /// The projection.
    pub projection: String,
    /// The tenant.
    pub tenant: TenantId,
    /// The newest position it has folded.
    pub position: Position,
    /// The ledger's newest position.
    pub head: Position,
    /// Streams that it has parked.
    pub parked: i64,
}

/// How far every projection is for every tenant.
///
/// # Errors
/// When the database cannot be reached.
pub async fn lag(_pool: &PgPool, _ledger: &Arc<dyn Ledger>) -> Result<Vec<Lag>, Unavailable> {
    Err(Unavailable::new("the read model", "not built yet"))
}
