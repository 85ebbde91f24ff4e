//! Folds templates that were queued outside the window: each customer counts once a day of UTC.
//!
//! The newest day and the one before are kept, by what the events say and not by any clock: servers may not agree on
//! when midnight is.

use std::collections::BTreeSet;

use async_trait::async_trait;
use chatledger_domain::chat::ChatEvent;
use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;

use crate::engine::{Batch, Projection, ProjectionError, Table};

/// The read model `template_days`.
pub(crate) struct TemplateDays;

#[async_trait]
impl Projection for TemplateDays {
    fn name(&self) -> &'static str {
        "template_days"
    }

    fn tables(&self) -> &'static [Table] {
        const TABLES: &[Table] = &[Table::small("template_days"), Table::small("template_day_customers")];
        TABLES
    }

    fn definition(&self) -> &'static [&'static str] {
        &[include_str!("apply.rs")]
    }

    // Of a customer who is forgotten only its id stands here, which stays in the ledger as well.
    async fn apply(&self, db: &mut PgConnection, batch: &Batch<'_>) -> Result<(), ProjectionError> {
        let mut sent = BTreeSet::new();
        for of in batch.of_chats(|event| matches!(event, ChatEvent::MessageQueued(e) if e.outside_window))? {
            let ChatEvent::MessageQueued(e) = of.event else { continue };
            // What no calendar has is on no day.
            if let Some(at) = DateTime::<Utc>::from_timestamp(e.timestamp, 0) {
                sent.insert((at.date_naive(), of.wa_id));
            }
        }
        if sent.is_empty() {
            return Ok(());
        }
        let (days, wa_ids): (Vec<NaiveDate>, Vec<&str>) = sent.into_iter().unzip();
        sqlx::query(
            "WITH added AS (
                 INSERT INTO template_day_customers (tenant_id, day, wa_id)
                     SELECT $1, s.day, s.wa_id FROM unnest($2::date[], $3::text[]) s (day, wa_id)
                     ON CONFLICT (tenant_id, day, wa_id) DO NOTHING RETURNING day
             )
             INSERT INTO template_days AS d (tenant_id, day, customers) SELECT $1, a.day, count(*) FROM added a GROUP BY a.day
                 ON CONFLICT (tenant_id, day) DO UPDATE SET customers = d.customers + excluded.customers",
        )
        .bind(batch.tenant.0)
        .bind(days)
        .bind(wa_ids)
        .execute(&mut *db)
        .await?;
        for table in ["template_day_customers", "template_days"] {
            let sql = format!(
                "DELETE FROM {table} t WHERE t.tenant_id = $1
                    AND t.day < (SELECT max(d.day) - 1 FROM template_days d WHERE d.tenant_id = $1)"
            );
            sqlx::query(&sql).bind(batch.tenant.0).execute(&mut *db).await?;
        }
        Ok(())
    }
}
