//! How many messages came and went, part by part (R-ANA-2, R-ANA-4).

use std::collections::HashMap;

use chatledger_domain::TenantId;
use sqlx::PgConnection;

use super::{Span, Step};
use crate::inbox::{Answer, Inbox};

/// The messages of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageCount {
    /// When the part begins, POSIX seconds; the first may begin before the time that was asked for.
    pub begins_at: i64,
    /// How many came.
    pub incoming: i64,
    /// How many of ours WhatsApp took and did not report as failed.
    pub outgoing: i64,
}

impl Inbox {
    /// The messages of a time by hours, days or weeks, also of those without any.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn message_counts(&self, tenant: TenantId, span: Span, step: Step) -> Answer<Vec<MessageCount>> {
        let counted = self.ask(tenant, async |db| counts(db, tenant, span, step).await).await?;
        let parts = step.number(span.start)..=step.number(span.end - 1);
        let count = |number| {
            let (incoming, outgoing) = counted.get(&number).copied().unwrap_or_default();
            MessageCount { begins_at: step.begins(number), incoming, outgoing }
        };
        Ok(parts.map(count).collect())
    }
}

async fn counts(
    db: &mut PgConnection,
    tenant: TenantId,
    span: Span,
    step: Step,
) -> Result<HashMap<i64, (i64, i64)>, sqlx::Error> {
    let rows: Vec<(i64, i64, i64)> = sqlx::query_as(
        "SELECT (m.timestamp + $4) / $5 AS part, count(*) FILTER (WHERE NOT m.from_us),
                count(*) FILTER (WHERE m.from_us AND m.waba_id IS NOT NULL AND NOT m.is_failed)
         FROM read_models.messages m WHERE m.tenant_id = $1 AND m.timestamp >= $2 AND m.timestamp < $3 GROUP BY 1",
    )
    .bind(tenant.0)
    .bind(span.start)
    .bind(span.end)
    .bind(step.shift())
    .bind(step.seconds())
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|(part, incoming, outgoing)| (part, (incoming, outgoing))).collect())
}
