//! Folds the events of tags.

use async_trait::async_trait;
use chatledger_domain::{AnyEvent, tag::TagEvent};
use sqlx::PgConnection;

use crate::{
    engine::{Batch, Projection, ProjectionError, Table, count_rows},
    text::{clean, lower},
};

/// The read model `tags`.
pub(crate) struct Tags;

#[async_trait]
impl Projection for Tags {
    fn name(&self) -> &'static str {
        "tags"
    }

    fn tables(&self) -> &'static [Table] {
        const TABLES: &[Table] = &[Table::small("tags")];
        TABLES
    }

    fn definition(&self) -> &'static [&'static str] {
        &[include_str!("apply.rs")]
    }

    // Tags themselves change rarely, so one statement per event is not worth avoiding.
    async fn apply(&self, db: &mut PgConnection, batch: &Batch<'_>) -> Result<(), ProjectionError> {
        for recorded in &batch.events {
            let AnyEvent::Tag(event) = &recorded.event else { continue };
            let stream = &recorded.stream.aggregate_id;
            let more = match event {
                TagEvent::TagCreated(e) => {
                    let sql = "INSERT INTO tags (tenant_id, aggregate_id, id, name, name_key, web_inbox_color)
                               VALUES ($1, $2, $3, $4, $5, $6)";
                    let change = sqlx::query(sql).bind(batch.tenant.0).bind(stream).bind(recorded.position.0);
                    let change = change.bind(clean(&e.name)).bind(lower(&e.name));
                    change.bind(e.web_inbox_color.as_deref().map(clean)).execute(&mut *db).await?;
                    1
                }
                TagEvent::TagChanged(e) => {
                    let sql = "UPDATE tags SET name = $3, name_key = $4, web_inbox_color = $5
                               WHERE tenant_id = $1 AND aggregate_id = $2";
                    let change = sqlx::query(sql).bind(batch.tenant.0).bind(stream);
                    let change = change.bind(clean(&e.name)).bind(lower(&e.name));
                    change.bind(e.web_inbox_color.as_deref().map(clean)).execute(&mut *db).await?;
                    0
                }
                TagEvent::TagDeleted(_) => {
                    let sql = "DELETE FROM tags WHERE tenant_id = $1 AND aggregate_id = $2";
                    let gone = sqlx::query(sql).bind(batch.tenant.0).bind(stream).execute(&mut *db).await?;
                    -i64::try_from(gone.rows_affected()).unwrap_or_default()
                }
            };
            count_rows(&mut *db, batch.tenant, self.name(), more).await?;
        }
        Ok(())
    }
}
