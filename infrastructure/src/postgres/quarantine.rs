//! The quarantine on Postgres, bounded by age and size.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use chatledger_application::ports::{
    Unavailable,
    quarantine::{Quarantine, Quarantined},
};
use chatledger_domain::TenantId;
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use uuid::Uuid;

/// Old and surplus rows are looked for once in so many that are kept.
const PRUNE_EVERY: i64 = 64;

/// The quarantine on Postgres.
pub struct PgQuarantine {
    pool: PgPool,
    max_age: Duration,
    max_bytes: i64,
    /// What was kept since the last pruning: rows, and bytes.
    rows: AtomicI64,
    bytes: AtomicI64,
}

type Row = (Uuid, Uuid, DateTime<Utc>, String, String, Vec<u8>);

impl PgQuarantine {
    /// A quarantine that forgets what is older, and the oldest of what is more.
    #[must_use]
    pub fn new(pool: PgPool, max_age: Duration, max_bytes: i64) -> Self {
        Self { pool, max_age, max_bytes, rows: AtomicI64::new(0), bytes: AtomicI64::new(0) }
    }

    /// Drops what is too old or too much, and says how many rows that were.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn prune(&self) -> Result<u64, sqlx::Error> {
        let dropped = sqlx::query(
            "DELETE FROM ledger.quarantine q USING ( \
                 SELECT tenant_id, id, received_at, sum(size) OVER (ORDER BY received_at DESC, id DESC) AS newer \
                 FROM ledger.quarantine \
             ) s WHERE q.tenant_id = s.tenant_id AND q.id = s.id AND (s.received_at < $1 OR s.newer > $2)",
        )
        .bind(Utc::now() - self.max_age)
        .bind(self.max_bytes)
        .execute(&self.pool)
        .await?
        .rows_affected();
        metrics::counter!("chatledger_quarantine_dropped_total").increment(dropped);
        Ok(dropped)
    }

    async fn prune_now_and_then(&self, rows: i64, bytes: i64) {
        let rows = self.rows.fetch_add(rows, Ordering::Relaxed) + rows;
        let bytes = self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if rows < PRUNE_EVERY && bytes < self.max_bytes / 16 {
            return;
        }
        self.rows.store(0, Ordering::Relaxed);
        self.bytes.store(0, Ordering::Relaxed);
        match self.prune().await {
            Ok(0) => {}
            Ok(dropped) => tracing::warn!(dropped, "the quarantine is full or old; the oldest was dropped"),
            Err(error) => tracing::warn!(%error, "the quarantine was not pruned"),
        }
    }
}

fn unavailable(error: sqlx::Error) -> Unavailable {
    Unavailable::new("the quarantine", error)
}

/// Text as Postgres takes it.
fn clean(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

fn fingerprint(door: &str, reason: &str, body: &[u8]) -> Vec<u8> {
    let mut sha = Sha256::new();
    for part in [door.as_bytes(), reason.as_bytes(), body] {
        sha.update((part.len() as u64).to_be_bytes());
        sha.update(part);
    }
    sha.finalize().to_vec()
}

fn quarantined((tenant, id, received_at, door, reason, body): Row) -> Quarantined {
    Quarantined { tenant: TenantId(tenant), id, received_at, door, reason, body }
}

#[async_trait]
impl Quarantine for PgQuarantine {
    async fn keep(&self, items: Vec<Quarantined>) -> Result<(), Unavailable> {
        if items.is_empty() {
            return Ok(());
        }
        let doors: Vec<String> = items.iter().map(|item| clean(&item.door)).collect();
        let reasons: Vec<String> = items.iter().map(|item| clean(&item.reason)).collect();
        let fingerprints: Vec<Vec<u8>> =
            items.iter().map(|item| fingerprint(&item.door, &item.reason, &item.body)).collect();
        let added = sqlx::query(
            "INSERT INTO ledger.quarantine (tenant_id, id, received_at, door, reason, body, fingerprint) \
             SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::text[], $5::text[], $6::bytea[], \
             $7::bytea[]) ON CONFLICT (tenant_id, fingerprint) DO NOTHING",
        )
        .bind(items.iter().map(|item| item.tenant.0).collect::<Vec<_>>())
        .bind(items.iter().map(|item| item.id).collect::<Vec<_>>())
        .bind(items.iter().map(|item| item.received_at).collect::<Vec<_>>())
        .bind(doors)
        .bind(reasons)
        .bind(items.iter().map(|item| item.body.as_slice()).collect::<Vec<_>>())
        .bind(fingerprints)
        .execute(&self.pool)
        .await
        .map_err(unavailable)?
        .rows_affected();
        if added > 0 {
            metrics::counter!("chatledger_quarantined_total").increment(added);
            let bytes = items.iter().map(|item| item.body.len() as i64).sum();
            self.prune_now_and_then(added as i64, bytes).await;
        }
        Ok(())
    }

    async fn list(&self, tenant: Option<TenantId>, limit: i64) -> Result<Vec<Quarantined>, Unavailable> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT tenant_id, id, received_at, door, reason, body FROM ledger.quarantine \
             WHERE $1::uuid IS NULL OR tenant_id = $1 ORDER BY received_at DESC, id DESC LIMIT $2",
        )
        .bind(tenant.map(|tenant| tenant.0))
        .bind(limit)
        .fetch_all(&self.pool)
        .await
        .map_err(unavailable)?;
        Ok(rows.into_iter().map(quarantined).collect())
    }

    async fn get(&self, id: Uuid) -> Result<Option<Quarantined>, Unavailable> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT tenant_id, id, received_at, door, reason, body FROM ledger.quarantine WHERE id = $1 LIMIT 1",
        )
        .bind(id)
        .fetch_optional(&self.pool)
        .await
        .map_err(unavailable)?;
        Ok(row.map(quarantined))
    }

    async fn release(&self, tenant: TenantId, id: Uuid) -> Result<(), Unavailable> {
        sqlx::query("DELETE FROM ledger.quarantine WHERE tenant_id = $1 AND id = $2")
            .bind(tenant.0)
            .bind(id)
            .execute(&self.pool)
            .await
            .map_err(unavailable)?;
        Ok(())
    }
}
