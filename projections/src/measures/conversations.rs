//! How fast customers were answered, and how conversations ended (R-ANA-5, R-CUS-7).
//!
//! A turn is what analytics.response_times says: it begins with a customer's first message after one of ours, or its first
//! of all, and our next message that did not fail answers it; notices of the system are nobody's words. That view asks of
//! every chat from its beginning; here only the messages of the time that is asked for are read, and of each chat the one
//! before and the one after. A test holds both to the same figures.

use chatledger_domain::TenantId;
use sqlx::{Connection, PgConnection};

use super::Span;
use crate::inbox::{Answer, Inbox};

/// What is told of the conversations of a time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ConversationMeasures {
    /// The mean time in seconds until a turn that began in this time was answered; `None` where none was.
    pub response_seconds: Option<f64>,
    /// The mean time in seconds from the beginning to the end of conversations closed in this time.
    pub resolution_seconds: Option<f64>,
    /// How many conversations were closed or expired in this time.
    pub ended: i64,
    /// How many of them flows answered, and no person.
    pub by_flows: i64,
    /// How many of them an AI agent answered, and no person.
    pub by_ai: i64,
    /// How many of them a program gave to a person.
    pub handed_off: i64,
}

impl Inbox {
    /// The figures of a time that ends, as far as conversations that expired are concerned, at `now` at the latest.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn conversation_measures(&self, tenant: TenantId, span: Span, now: i64) -> Answer<ConversationMeasures> {
        self.ask(tenant, async |db| {
            let mut tx = db.begin().await?;
            // A year of a large inbox is sorted: not in the little room and time that lists have.
            sqlx::query("SELECT set_config('work_mem', '64MB', true), set_config('statement_timeout', '20s', true)")
                .execute(&mut *tx)
                .await?;
            let response_seconds = response_seconds(&mut tx, tenant, span).await?;
            let ends = ends(&mut tx, tenant, span, now).await?;
            tx.commit().await?;
            Ok(ConversationMeasures { response_seconds, ..ends })
        })
        .await
    }
}

/// The mean time until the turns of one customer were answered.
pub(crate) async fn response_seconds_of(
    db: &mut PgConnection,
    tenant: TenantId,
    wa_id: &str,
) -> Result<Option<f64>, sqlx::Error> {
    sqlx::query_scalar(
        "WITH words AS (
             SELECT m.timestamp, m.from_us, count(*) FILTER (WHERE m.from_us) OVER (ORDER BY m.timestamp, m.position) AS answers
             FROM read_models.messages m
             WHERE m.tenant_id = $1 AND m.wa_id = $2 AND m.kind <> 'system' AND NOT (m.from_us AND m.is_failed)),
         questions AS (SELECT answers, min(timestamp) AS asked FROM words WHERE NOT from_us GROUP BY answers)
         SELECT avg(a.timestamp - q.asked)::float8
         FROM questions q JOIN words a ON a.from_us AND a.answers = q.answers + 1",
    )
    .bind(tenant.0)
    .bind(wa_id)
    .fetch_one(db)
    .await
}

/// The same for all turns that begin in a time.
async fn response_seconds(db: &mut PgConnection, tenant: TenantId, span: Span) -> Result<Option<f64>, sqlx::Error> {
    sqlx::query_scalar(
        "WITH words AS MATERIALIZED (
             SELECT m.wa_id, m.timestamp, m.from_us,
                 count(*) FILTER (WHERE m.from_us) OVER (PARTITION BY m.wa_id ORDER BY m.timestamp, m.position) AS answers
             FROM read_models.messages m
             WHERE m.tenant_id = $1 AND m.timestamp >= $2 AND m.timestamp < $3
                 AND m.kind <> 'system' AND NOT (m.from_us AND m.is_failed)),
         questions AS (
             SELECT wa_id, answers, min(timestamp) AS asked FROM words WHERE NOT from_us GROUP BY wa_id, answers),
         turns AS (
             SELECT q.wa_id, q.answers, q.asked, a.timestamp AS answered FROM questions q
             LEFT JOIN words a ON a.from_us AND a.wa_id = q.wa_id AND a.answers = q.answers + 1)
         SELECT avg(coalesce(t.answered, later.timestamp) - t.asked)::float8 FROM turns t
         LEFT JOIN LATERAL (
             SELECT p.from_us FROM read_models.messages p
             WHERE t.answers = 0 AND p.tenant_id = $1 AND p.wa_id = t.wa_id AND p.timestamp < $2
                 AND p.kind <> 'system' AND NOT (p.from_us AND p.is_failed)
             ORDER BY p.timestamp DESC, p.position DESC LIMIT 1) before ON true
         LEFT JOIN LATERAL (
             SELECT n.timestamp FROM read_models.messages n
             WHERE t.answered IS NULL AND n.tenant_id = $1 AND n.wa_id = t.wa_id AND n.timestamp >= $3
                 AND n.from_us AND n.kind <> 'system' AND NOT n.is_failed
             ORDER BY n.timestamp, n.position LIMIT 1) later ON true
         WHERE coalesce(before.from_us, true)",
    )
    .bind(tenant.0)
    .bind(span.start)
    .bind(span.end)
    .fetch_one(db)
    .await
}

/// How conversations ended. Flows, AI agents and handoffs will be counted here once there are any.
async fn ends(
    db: &mut PgConnection,
    tenant: TenantId,
    span: Span,
    now: i64,
) -> Result<ConversationMeasures, sqlx::Error> {
    let (closed, resolution_seconds): (i64, Option<f64>) = sqlx::query_as(
        "SELECT count(*), avg(c.closed_at - c.opened_at)::float8 FROM read_models.conversations c
         WHERE c.tenant_id = $1 AND c.closed_at IS NOT NULL AND c.closed_at >= $2 AND c.closed_at < $3",
    )
    .bind(tenant.0)
    .bind(span.start)
    .bind(span.end)
    .fetch_one(&mut *db)
    .await?;
    let expired: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM read_models.conversations c
         WHERE c.tenant_id = $1 AND c.closed_at IS NULL AND c.expires_at >= $2 AND c.expires_at < $3",
    )
    .bind(tenant.0)
    .bind(span.start)
    .bind(span.end.min(now.saturating_add(1)))
    .fetch_one(db)
    .await?;
    let ended = closed + expired;
    Ok(ConversationMeasures { ended, resolution_seconds, ..ConversationMeasures::default() })
}
