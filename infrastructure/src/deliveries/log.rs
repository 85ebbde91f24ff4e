//! Deliveries as people see them, and how they act on them.
//!
//! Nothing here needs the lease of whoever dispatches: only rows that nobody is working on change, and a row that is
//! made pending again is found like any other.

use async_trait::async_trait;
use chatledger_application::ports::{
    Unavailable,
    deliveries::{
        Attempt, DeliveryCondition, DeliveryDetail, DeliveryEntry, DeliveryFilter, DeliveryLog, DeliveryPage,
        DeliveryState, Kept,
    },
};
use chatledger_domain::{RawJson, TenantId, WebhookId};
use sqlx::{PgPool, Postgres, Row, postgres::PgArguments, postgres::PgRow, query::Query};
use uuid::Uuid;

/// The log on Postgres.
#[derive(Clone, Debug)]
pub struct PgDeliveryLog {
    pool: PgPool,
}

impl PgDeliveryLog {
    /// Over a pool.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

/// What a list shows. The log as text: an answer may hold what the database's JSON functions refuse.
const COLUMNS: &str = "d.id, d.receiver, d.keys, d.wa_ids, d.state, d.attempts, d.log::text AS log,
    floor(extract(epoch FROM d.made_at))::bigint AS made_at,
    CASE d.state WHEN 'pending' THEN floor(extract(epoch FROM d.not_before))::bigint END AS next_attempt_at";
/// What a filter leaves; its parameters are bound by [`filtered`].
const MATCHING: &str = "d.tenant_id = $1 AND d.receiver = $2
    AND (cardinality($3::text[]) = 0 OR d.state = ANY ($3)) AND (cardinality($4::uuid[]) = 0 OR d.id = ANY ($4))
    AND ($5::text IS NULL OR $5 = ANY (d.wa_ids))
    AND ($6::bigint IS NULL OR d.made_at >= to_timestamp($6)) AND ($7::bigint IS NULL OR d.made_at < to_timestamp($7))";

type Question<'q> = Query<'q, Postgres, PgArguments>;

fn filtered<'q>(sql: &'q str, tenant: TenantId, receiver: WebhookId, filter: &'q DeliveryFilter) -> Question<'q> {
    // Beyond these a time is no time to the database, and nothing was made then.
    let time = |time: Option<i64>| time.map(|time| time.clamp(0, 100_000_000_000));
    sqlx::query(sql)
        .bind(tenant.0)
        .bind(receiver.0)
        .bind(filter.states.iter().map(|state| state.as_str()).collect::<Vec<_>>())
        .bind(&filter.ids)
        .bind(&filter.wa_id)
        .bind(time(filter.since))
        .bind(time(filter.before))
}

fn unavailable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Unavailable {
    Unavailable::new("the database", error)
}

fn attempts(row: &PgRow) -> Result<Vec<Attempt>, sqlx::Error> {
    let log: Option<String> = row.try_get("log")?;
    Ok(log.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
}

fn entry(row: &PgRow) -> Result<DeliveryEntry, sqlx::Error> {
    Ok(DeliveryEntry {
        id: row.try_get("id")?,
        receiver: WebhookId(row.try_get("receiver")?),
        state: DeliveryState::named(row.try_get("state")?).unwrap_or(DeliveryState::Pending),
        keys: row.try_get("keys")?,
        wa_ids: row.try_get("wa_ids")?,
        created_at: row.try_get("made_at")?,
        attempts: row.try_get::<i32, _>("attempts")?.into(),
        next_attempt_at: row.try_get("next_attempt_at")?,
        last: attempts(row)?.pop(),
    })
}

fn detail(row: &PgRow) -> Result<DeliveryDetail, sqlx::Error> {
    let body: Option<String> = row.try_get("body")?;
    let body = body.and_then(|text| RawJson::parse(text).ok());
    Ok(DeliveryDetail { entry: entry(row)?, body, log: attempts(row)? })
}

#[async_trait]
impl DeliveryLog for PgDeliveryLog {
    async fn list(
        &self,
        tenant: TenantId,
        receiver: WebhookId,
        filter: &DeliveryFilter,
        limit: i64,
        offset: i64,
    ) -> Result<DeliveryPage, Unavailable> {
        let sql = format!("SELECT count(*) FROM outbound.deliveries d WHERE {MATCHING}");
        let count = filtered(&sql, tenant, receiver, filter).fetch_one(&self.pool).await.map_err(unavailable)?;
        let sql = format!(
            "SELECT {COLUMNS} FROM outbound.deliveries d WHERE {MATCHING}
             ORDER BY d.position DESC, d.part DESC, d.piece DESC LIMIT $8 OFFSET $9"
        );
        let question = filtered(&sql, tenant, receiver, filter).bind(limit).bind(offset);
        let rows = question.fetch_all(&self.pool).await.map_err(unavailable)?;
        let rows: Result<_, _> = rows.iter().map(entry).collect();
        Ok(DeliveryPage { count: count.try_get(0).map_err(unavailable)?, rows: rows.map_err(unavailable)? })
    }

    async fn get(
        &self,
        tenant: TenantId,
        receiver: Option<WebhookId>,
        id: Uuid,
    ) -> Result<Option<DeliveryDetail>, Unavailable> {
        let sql = format!(
            "SELECT {COLUMNS}, b.body FROM outbound.deliveries d
             LEFT JOIN outbound.bodies b ON b.tenant_id = d.tenant_id AND b.id = d.body_id
             WHERE d.tenant_id = $1 AND d.id = $2 AND ($3::bigint IS NULL OR d.receiver = $3)"
        );
        let question = sqlx::query(&sql).bind(tenant.0).bind(id).bind(receiver.map(|receiver| receiver.0));
        let row = question.fetch_optional(&self.pool).await.map_err(unavailable)?;
        row.as_ref().map(detail).transpose().map_err(unavailable)
    }

    async fn replay(&self, tenant: TenantId, receiver: WebhookId, filter: &DeliveryFilter) -> Result<u64, Unavailable> {
        let sql = format!(
            "UPDATE outbound.deliveries d SET state = 'pending', attempts = 0, not_before = now(), done_at = NULL
             WHERE {MATCHING} AND d.state <> 'pending' AND d.body_id IS NOT NULL"
        );
        let done = filtered(&sql, tenant, receiver, filter).execute(&self.pool).await.map_err(unavailable)?;
        Ok(done.rows_affected())
    }

    async fn oldest(&self, tenant: TenantId, receiver: WebhookId) -> Result<Option<i64>, Unavailable> {
        // The first in order is the first that was made.
        let sql = "SELECT floor(extract(epoch FROM made_at))::bigint FROM outbound.deliveries
                    WHERE tenant_id = $1 AND receiver = $2 ORDER BY position, part, piece LIMIT 1";
        let question = sqlx::query_scalar(sql).bind(tenant.0).bind(receiver.0);
        question.fetch_optional(&self.pool).await.map_err(unavailable)
    }

    async fn conditions(
        &self,
        tenant: TenantId,
        receivers: &[WebhookId],
    ) -> Result<Vec<DeliveryCondition>, Unavailable> {
        let ids: Vec<i64> = receivers.iter().map(|receiver| receiver.0).collect();
        let rows = sqlx::query(
            "SELECT p.pending, x.dead, p.oldest, floor(extract(epoch FROM f.since))::bigint AS since
               FROM unnest($2::bigint[]) WITH ORDINALITY r (id, place)
               LEFT JOIN outbound.failing f ON f.tenant_id = $1 AND f.receiver = r.id,
               LATERAL (SELECT count(*) AS pending, floor(extract(epoch FROM min(made_at)))::bigint AS oldest
                          FROM outbound.deliveries
                         WHERE tenant_id = $1 AND receiver = r.id AND state = 'pending') p,
               LATERAL (SELECT count(*) AS dead FROM outbound.deliveries
                         WHERE tenant_id = $1 AND receiver = r.id AND state = 'dead') x
              ORDER BY r.place",
        )
        .bind(tenant.0)
        .bind(&ids)
        .fetch_all(&self.pool)
        .await
        .map_err(unavailable)?;
        rows.iter().map(condition).collect::<Result<_, _>>().map_err(unavailable)
    }

    async fn resume(&self, tenant: TenantId, receiver: WebhookId, kept: Kept) -> Result<(), Unavailable> {
        let mut tx = self.pool.begin().await.map_err(unavailable)?;
        // What waits for its body is seconds old and goes its own way.
        let rows = match kept {
            Kept::Deliver { dead_since } => sqlx::query(
                "UPDATE outbound.deliveries SET state = 'pending', attempts = 0, not_before = now(), done_at = NULL
                  WHERE tenant_id = $1 AND receiver = $2 AND body_id IS NOT NULL
                    AND (state = 'pending' OR state = 'dead' AND done_at >= to_timestamp($3))",
            )
            .bind(tenant.0)
            .bind(receiver.0)
            .bind(dead_since),
            Kept::GiveUp => sqlx::query(
                "UPDATE outbound.deliveries SET state = 'dead', done_at = now()
                  WHERE tenant_id = $1 AND receiver = $2 AND body_id IS NOT NULL AND state = 'pending'",
            )
            .bind(tenant.0)
            .bind(receiver.0),
        };
        rows.execute(&mut *tx).await.map_err(unavailable)?;
        forget_failures(tenant, receiver).execute(&mut *tx).await.map_err(unavailable)?;
        tx.commit().await.map_err(unavailable)
    }

    async fn forget_failures(&self, tenant: TenantId, receiver: WebhookId) -> Result<(), Unavailable> {
        forget_failures(tenant, receiver).execute(&self.pool).await.map_err(unavailable)?;
        Ok(())
    }

    async fn forget(&self, tenant: TenantId, receiver: WebhookId) -> Result<(), Unavailable> {
        let sql = "DELETE FROM outbound.deliveries WHERE tenant_id = $1 AND receiver = $2 AND state <> 'pending'";
        sqlx::query(sql).bind(tenant.0).bind(receiver.0).execute(&self.pool).await.map_err(unavailable)?;
        self.forget_failures(tenant, receiver).await
    }

    async fn begin_anew(&self, tenant: TenantId, receiver: WebhookId) -> Result<(), Unavailable> {
        let mut tx = self.pool.begin().await.map_err(unavailable)?;
        let sql = "UPDATE outbound.deliveries SET not_before = now()
                    WHERE tenant_id = $1 AND receiver = $2 AND state = 'pending' AND attempts > 0";
        let due = sqlx::query(sql).bind(tenant.0).bind(receiver.0);
        due.execute(&mut *tx).await.map_err(unavailable)?;
        forget_failures(tenant, receiver).execute(&mut *tx).await.map_err(unavailable)?;
        tx.commit().await.map_err(unavailable)
    }
}

fn forget_failures(tenant: TenantId, receiver: WebhookId) -> Question<'static> {
    let sql = "DELETE FROM outbound.failing WHERE tenant_id = $1 AND receiver = $2";
    sqlx::query(sql).bind(tenant.0).bind(receiver.0)
}

fn condition(row: &PgRow) -> Result<DeliveryCondition, sqlx::Error> {
    Ok(DeliveryCondition {
        pending: row.try_get("pending")?,
        dead: row.try_get("dead")?,
        oldest_pending_at: row.try_get("oldest")?,
        failing_since: row.try_get("since")?,
    })
}
