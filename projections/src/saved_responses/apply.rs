//! Folds the events of saved responses.

use async_trait::async_trait;
use chatledger_domain::{AnyEvent, saved_response::SavedResponseEvent};
use sqlx::PgConnection;

use crate::{
    engine::{Batch, Projection, ProjectionError, Table, count_rows},
    text::{clean, lower},
};

/// The read model `saved_responses`.
pub(crate) struct SavedResponses;

#[async_trait]
impl Projection for SavedResponses {
    fn name(&self) -> &'static str {
        "saved_responses"
    }

    fn tables(&self) -> &'static [Table] {
        const TABLES: &[Table] = &[Table::small("saved_responses")];
        TABLES
    }

    fn definition(&self) -> &'static [&'static str] {
        &[include_str!("apply.rs")]
    }

    // They change rarely, so one statement per event is not worth avoiding.
    async fn apply(&self, db: &mut PgConnection, batch: &Batch<'_>) -> Result<(), ProjectionError> {
        for recorded in &batch.events {
            let AnyEvent::SavedResponse(event) = &recorded.event else { continue };
            let stream = &recorded.stream.aggregate_id;
            let more = match event {
                SavedResponseEvent::SavedResponseCreated(e) => {
                    let sql = "INSERT INTO saved_responses
                                   (tenant_id, aggregate_id, id, text, text_key, created_by, timestamp)
                               VALUES ($1, $2, $3, $4, $5, $6, $7)";
                    let change = sqlx::query(sql).bind(batch.tenant.0).bind(stream).bind(recorded.position.0);
                    let change = change.bind(clean(&e.text)).bind(lower(&e.text)).bind(e.done_by.0);
                    change.bind(e.timestamp).execute(&mut *db).await?;
                    1
                }
                SavedResponseEvent::SavedResponseDeleted(_) => {
                    let sql = "DELETE FROM saved_responses WHERE tenant_id = $1 AND aggregate_id = $2";
                    let gone = sqlx::query(sql).bind(batch.tenant.0).bind(stream).execute(&mut *db).await?;
                    -i64::try_from(gone.rows_affected()).unwrap_or_default()
                }
            };
            count_rows(&mut *db, batch.tenant, self.name(), more).await?;
        }
        Ok(())
    }
}
