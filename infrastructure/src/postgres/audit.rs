//! The ledger as auditors read it, on Postgres.
//!
//! The ledger has an index by stream and one by position, and none by who did something or what was tagged: it would
//! cost every append. So a chat is read along its streams, and what users did and tags were used for is found by looking
//! through the ledger in order, a window of positions at a time.

use std::collections::BTreeSet;

use async_trait::async_trait;
use chatledger_application::{
    audit::events_naming,
    ports::{
        Unavailable,
        audit::{AuditTrail, Found, NameKind, Span, StoredEvent, Subject},
    },
};
use chatledger_domain::{Position, TenantId, WaId};
use chrono::{DateTime, Utc};
use sqlx::{PgPool, Postgres, QueryBuilder, Row, postgres::PgRow};

/// How many positions one call looks through at most where the ledger has to be looked through: a fraction of a second.
const WINDOW: i64 = 50_000;
/// A window that takes too long is made so much smaller, and tried again, down to this many positions.
const SMALLER: i64 = 8;
const LEAST: i64 = 500;

/// Every column, of a table or alias named `e`.
const COLUMNS: &str = "e.position, e.aggregate_type, e.aggregate_id, e.sequence, e.event_type, e.event_version, \
    e.payload, e.metadata, e.idempotency_key, e.occurred_at, e.recorded_at, e.payload_hash, e.hash, e.erased_at";

/// The audit trail on Postgres.
pub struct PgAuditTrail {
    pool: PgPool,
}

impl PgAuditTrail {
    /// A trail on this pool.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    async fn of_chat(
        &self,
        tenant: TenantId,
        wa_id: &WaId,
        span: Span,
        kinds: &[String],
        limit: i64,
    ) -> Result<Vec<StoredEvent>, sqlx::Error> {
        let sql = format!(
            "SELECT {COLUMNS} FROM unnest(ARRAY['Chat', 'Contact']) s (type) \
             CROSS JOIN LATERAL ( \
                 SELECT * FROM ledger.events o \
                 WHERE o.tenant_id = $1 AND o.aggregate_type = s.type AND o.aggregate_id = $2 \
                 AND o.sequence > ledger.sequence_at($1, s.type, $2, $3) AND o.position <= $4 \
                 AND (cardinality($5::text[]) = 0 OR o.event_type = ANY ($5)) \
                 ORDER BY o.sequence LIMIT $6 \
             ) e ORDER BY e.position LIMIT $6"
        );
        let rows = sqlx::query(&sql)
            .bind(tenant.0)
            .bind(wa_id.as_str())
            .bind(span.after.0)
            .bind(span.through.0)
            .bind(kinds)
            .bind(limit)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(stored).collect()
    }

    async fn looked_through(
        &self,
        tenant: TenantId,
        subject: &Subject,
        span: Span,
        kinds: &[String],
        limit: i64,
    ) -> Result<(Vec<StoredEvent>, BTreeSet<Position>), sqlx::Error> {
        let mut sql = QueryBuilder::new(format!("SELECT {COLUMNS}, "));
        match subject {
            Subject::User { id, .. } => push_taken_from(&mut sql, id.0),
            Subject::Chat(_) | Subject::Tag { .. } => {
                sql.push("false");
            }
        }
        sql.push(" FROM ledger.events e WHERE e.tenant_id = ").push_bind(tenant.0);
        sql.push(" AND e.position > ").push_bind(span.after.0);
        sql.push(" AND e.position <= ").push_bind(span.through.0);
        if !kinds.is_empty() {
            sql.push(" AND e.event_type = ANY (").push_bind(kinds).push(")");
        }
        match subject {
            Subject::Chat(wa_id) => {
                sql.push(" AND e.aggregate_type IN ('Chat', 'Contact') AND e.aggregate_id = ");
                sql.push_bind(wa_id.as_str());
            }
            Subject::User { id, stream } => {
                sql.push(" AND ((e.aggregate_type = 'User' AND e.aggregate_id = ").push_bind(stream).push(")");
                sql.push(" OR e.metadata::text LIKE ").push_bind(format!(r#"%"kind":"user","id":{id}}}%"#));
                push_naming(&mut sql, NameKind::User, id.0);
                sql.push(" OR ");
                push_taken_from(&mut sql, id.0);
                sql.push(")");
            }
            Subject::Tag { id, stream } => {
                sql.push(" AND ((e.aggregate_type = 'Tag' AND e.aggregate_id = ").push_bind(stream).push(")");
                push_naming(&mut sql, NameKind::Tag, id.0);
                sql.push(")");
            }
        }
        sql.push(" ORDER BY e.position LIMIT ").push_bind(limit);
        let rows = sql.build().fetch_all(&self.pool).await?;
        let (mut events, mut taken) = (Vec::with_capacity(rows.len()), BTreeSet::new());
        for row in &rows {
            let event = stored(row)?;
            if row.try_get::<Option<bool>, _>(14)? == Some(true) {
                taken.insert(event.position);
            }
            events.push(event);
        }
        Ok((events, taken))
    }
}

/// Payloads with the number where an id can stand. By their text: what is looked for stands there as it was written, and
/// JSON that the functions of Postgres refuse is no fault. The application looks closer.
fn push_naming(sql: &mut QueryBuilder<'_, Postgres>, kind: NameKind, id: i64) {
    sql.push(" OR (e.event_type = ANY (").push_bind(events_naming(kind));
    sql.push(") AND e.payload::text ~ ").push_bind(format!(r"[:,\[]\s*{id}\s*[,}}\]]")).push(")");
}

/// Assignments that end a user's own: those that set or clear the user of a chat that was the user's until then.
fn push_taken_from(sql: &mut QueryBuilder<'_, Postgres>, id: i64) {
    let changes_user = |alias: &str| {
        format!(
            "({alias}.payload::text LIKE '%\"user_cleared\":true%' OR {alias}.payload::text NOT LIKE '%\"user_set\":null%')"
        )
    };
    let (now, before) = (changes_user("e"), changes_user("b"));
    sql.push(format!(
        "(e.event_type = 'ChatAssigned' AND {now} AND ( \
             SELECT b.payload::text FROM ledger.events b \
             WHERE b.tenant_id = e.tenant_id AND b.aggregate_type = e.aggregate_type \
             AND b.aggregate_id = e.aggregate_id AND b.sequence < e.sequence \
             AND b.event_type = 'ChatAssigned' AND {before} ORDER BY b.sequence DESC LIMIT 1) LIKE "
    ));
    sql.push_bind(format!(r#"%"user_set":{id},%"#)).push(")");
}

fn stored(row: &PgRow) -> Result<StoredEvent, sqlx::Error> {
    // `json` comes over the wire as its own text.
    let (payload, metadata): (&str, &str) = (row.try_get_unchecked(6)?, row.try_get_unchecked(7)?);
    let digits = |column: usize| row.try_get::<&[u8], _>(column).map(hex::encode);
    Ok(StoredEvent {
        position: Position(row.try_get(0)?),
        aggregate_type: row.try_get(1)?,
        aggregate_id: row.try_get(2)?,
        sequence: row.try_get(3)?,
        event_type: row.try_get(4)?,
        event_version: row.try_get(5)?,
        payload: payload.to_owned(),
        metadata: metadata.to_owned(),
        idempotency_key: row.try_get(8)?,
        occurred_at: row.try_get(9)?,
        recorded_at: row.try_get(10)?,
        payload_hash: digits(11)?,
        hash: digits(12)?,
        erased_at: row.try_get(13)?,
    })
}

/// Whether the database ended a statement because of its time.
fn took_too_long(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == "57014")
}

fn unavailable(error: sqlx::Error) -> Unavailable {
    Unavailable::new("the ledger", error)
}

/// The aggregate whose streams tell a kind of names, and the events that give and take them.
fn names(kind: NameKind) -> (&'static str, &'static [&'static str]) {
    match kind {
        NameKind::User => ("User", &["UserCreated", "UserDetailsChanged"]),
        NameKind::Group => ("Group", &["GroupCreated", "GroupRenamed", "GroupDeleted"]),
        NameKind::Tag => ("Tag", &["TagCreated", "TagChanged", "TagDeleted"]),
    }
}

#[async_trait]
impl AuditTrail for PgAuditTrail {
    async fn events(
        &self,
        tenant: TenantId,
        subject: &Subject,
        span: Span,
        kinds: &[String],
        limit: i64,
    ) -> Result<Found, Unavailable> {
        let (found, through) = match subject {
            Subject::Chat(wa_id) => {
                let found = self.of_chat(tenant, wa_id, span, kinds, limit).await;
                (found.map(|events| (events, BTreeSet::new())), span.through)
            }
            Subject::User { .. } | Subject::Tag { .. } => {
                let mut length = WINDOW;
                loop {
                    let through = Position(span.through.0.min(span.after.0.saturating_add(length)));
                    let window = Span { through, ..span };
                    let found = self.looked_through(tenant, subject, window, kinds, limit).await;
                    if length > LEAST && found.as_ref().is_err_and(took_too_long) {
                        length /= SMALLER;
                        continue;
                    }
                    break (found, through);
                }
            }
        };
        let (events, taken) = found.map_err(unavailable)?;
        let is_full = i64::try_from(events.len()).is_ok_and(|found| found >= limit);
        let seen = events.last().map(|last| last.position).filter(|_| is_full).unwrap_or(through);
        Ok(Found { events, taken, seen })
    }

    async fn names(&self, tenant: TenantId, kind: NameKind, ids: &[i64]) -> Result<Vec<StoredEvent>, Unavailable> {
        let (aggregate, events) = names(kind);
        let sql = format!(
            "SELECT {COLUMNS} FROM unnest($2::bigint[]) i (id) \
             CROSS JOIN LATERAL ( \
                 SELECT o.* FROM ledger.events f JOIN ledger.events o ON o.tenant_id = f.tenant_id \
                 AND o.aggregate_type = f.aggregate_type AND o.aggregate_id = f.aggregate_id \
                 WHERE f.tenant_id = $1 AND f.position = i.id AND f.aggregate_type = $3 AND f.sequence = 1 \
                 AND o.event_type = ANY ($4) \
             ) e ORDER BY e.position"
        );
        let rows = sqlx::query(&sql).bind(tenant.0).bind(ids).bind(aggregate).bind(events).fetch_all(&self.pool).await;
        rows.and_then(|rows| rows.iter().map(stored).collect()).map_err(unavailable)
    }

    async fn all_names(&self, tenant: TenantId, kind: NameKind) -> Result<Vec<StoredEvent>, Unavailable> {
        let (aggregate, events) = names(kind);
        let sql = format!(
            "SELECT {COLUMNS} FROM ledger.events e \
             WHERE e.tenant_id = $1 AND e.aggregate_type = $2 AND e.event_type = ANY ($3) ORDER BY e.position"
        );
        let rows = sqlx::query(&sql).bind(tenant.0).bind(aggregate).bind(events).fetch_all(&self.pool).await;
        rows.and_then(|rows| rows.iter().map(stored).collect()).map_err(unavailable)
    }

    async fn position_at(&self, tenant: TenantId, moment: DateTime<Utc>) -> Result<Position, Unavailable> {
        let found = sqlx::query_scalar("SELECT ledger.position_at($1, $2)")
            .bind(tenant.0)
            .bind(moment)
            .fetch_one(&self.pool)
            .await;
        found.map(Position).map_err(unavailable)
    }

    async fn recorded_at(&self, tenant: TenantId, position: Position) -> Result<Option<DateTime<Utc>>, Unavailable> {
        sqlx::query_scalar("SELECT e.recorded_at FROM ledger.events e WHERE e.tenant_id = $1 AND e.position = $2")
            .bind(tenant.0)
            .bind(position.0)
            .fetch_optional(&self.pool)
            .await
            .map_err(unavailable)
    }
}
