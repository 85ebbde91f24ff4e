//! The whole read model `tenants` in memory: every request begins by asking it.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use chatledger_application::ports::{
    Unavailable,
    directory::{Directory, Holder, TenantEntry},
};
use chatledger_domain::TenantId;
use sqlx::{PgPool, Row};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::{engine::Watch, unavailable};

/// A miss reads again at most this often.
const MISS_PAUSE: Duration = Duration::from_secs(1);
/// What another server changed is seen after this long at the latest.
const STALE: Duration = Duration::from_secs(5);

/// All tenants, held in memory; read again after a miss, and when an event of a tenant or its account has passed.
#[derive(Clone, Debug)]
pub struct TenantDirectory {
    pool: PgPool,
    watch: Watch,
    held: Arc<RwLock<Option<Held>>>,
    reading: Arc<Mutex<()>>,
}

#[derive(Clone, Debug)]
struct Held {
    entries: Arc<[TenantEntry]>,
    version: u64,
    read_at: Instant,
    /// Whether it was read because somebody was not in what was held before.
    after_miss: bool,
}

impl TenantDirectory {
    /// Over a pool; `watch` is the engine's, or the default where none runs in this process.
    #[must_use]
    pub fn new(pool: PgPool, watch: Watch) -> Self {
        Self { pool, watch, held: Arc::default(), reading: Arc::default() }
    }

    fn held(&self) -> Option<Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What is held, unless it is older than `at_most` or a tenant has changed since.
    async fn entries(&self, at_most: Duration) -> Result<Arc<[TenantEntry]>, Unavailable> {
        self.entries_after(false, at_most).await
    }

    /// The same. After a miss only what was read after one will do, however new the rest is: a tenant that was made a
    /// moment ago is found, and guessing still reads no more than once in a while.
    async fn entries_after(&self, miss: bool, at_most: Duration) -> Result<Arc<[TenantEntry]>, Unavailable> {
        let usable = |held: &Held| {
            let is_new = held.version == self.watch.tenants_version() && held.read_at.elapsed() < at_most;
            is_new && (held.after_miss || !miss)
        };
        if let Some(held) = self.held().filter(usable) {
            return Ok(held.entries);
        }
        let _one_reader = self.reading.lock().await;
        if let Some(held) = self.held().filter(usable) {
            return Ok(held.entries);
        }
        let version = self.watch.tenants_version();
        match self.read().await {
            Ok(entries) => {
                let held = Held { entries: entries.clone(), version, read_at: Instant::now(), after_miss: miss };
                *self.held.write().unwrap_or_else(PoisonError::into_inner) = Some(held);
                Ok(entries)
            }
            // An old list is better than none: the ledger still decides.
            Err(error) => self.held().map(|held| held.entries).ok_or(error),
        }
    }

    async fn read(&self) -> Result<Arc<[TenantEntry]>, Unavailable> {
        let rows = sqlx::query(
            "SELECT tenant_id, slug, name, hosts, settings::text AS settings, number::text AS number
             FROM read_models.tenants ORDER BY tenant_id",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(unavailable)?;
        rows.iter()
            .map(|row| {
                let settings: String = row.try_get("settings")?;
                let number: Option<String> = row.try_get("number")?;
                let broken = |error: serde_json::Error| sqlx::Error::Decode(error.into());
                Ok(TenantEntry {
                    id: TenantId(row.try_get::<Uuid, _>("tenant_id")?),
                    slug: row.try_get("slug")?,
                    name: row.try_get("name")?,
                    hosts: row.try_get("hosts")?,
                    settings: serde_json::from_str(&settings).map_err(broken)?,
                    number: number.map(|number| serde_json::from_str(&number)).transpose().map_err(broken)?,
                })
            })
            .collect::<Result<Vec<_>, sqlx::Error>>()
            .map(Arc::from)
            .map_err(unavailable)
    }

    async fn find(&self, wanted: impl Fn(&TenantEntry) -> bool + Send) -> Result<Option<TenantEntry>, Unavailable> {
        for (miss, at_most) in [(false, STALE), (true, MISS_PAUSE)] {
            let found = self.entries_after(miss, at_most).await?.iter().find(|entry| wanted(entry)).cloned();
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }
}

#[async_trait]
impl Directory for TenantDirectory {
    async fn all(&self) -> Result<Arc<[TenantEntry]>, Unavailable> {
        self.entries(MISS_PAUSE).await
    }

    async fn by_id(&self, tenant: TenantId) -> Result<Option<TenantEntry>, Unavailable> {
        self.find(|entry| entry.id == tenant).await
    }

    async fn by_slug(&self, slug: &str) -> Result<Option<TenantEntry>, Unavailable> {
        self.find(|entry| entry.slug == slug).await
    }

    async fn by_host(&self, host: &str) -> Result<Option<TenantEntry>, Unavailable> {
        self.find(|entry| entry.hosts.iter().any(|known| known == host)).await
    }

    async fn by_phone_number_id(&self, phone_number_id: &str) -> Result<Option<TenantEntry>, Unavailable> {
        self.find(|entry| entry.number.as_ref().is_some_and(|number| number.phone_number_id == phone_number_id)).await
    }

    async fn holder(&self, phone_number_id: &str) -> Result<Holder, Unavailable> {
        let sql = "SELECT n.holder FROM ledger.numbers n WHERE n.tenant_id = $1 AND n.phone_number_id = $2";
        let found: Option<Option<Uuid>> = sqlx::query_scalar(sql)
            .bind(Uuid::nil())
            .bind(phone_number_id)
            .fetch_optional(&self.pool)
            .await
            .map_err(unavailable)?;
        Ok(match found {
            Some(Some(tenant)) => Holder::Tenant(TenantId(tenant)),
            Some(None) => Holder::GivenUp,
            None => Holder::Nobody,
        })
    }

    async fn by_tag(&self, tag: &str) -> Result<Vec<TenantId>, Unavailable> {
        for (miss, at_most) in [(false, STALE), (true, MISS_PAUSE)] {
            let all = self.entries_after(miss, at_most).await?;
            let found: Vec<_> = all.iter().map(|entry| entry.id).filter(|id| id.tag() == tag).collect();
            if !found.is_empty() {
                return Ok(found);
            }
        }
        Ok(Vec::new())
    }
}
