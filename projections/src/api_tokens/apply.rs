//! Folds the events of API tokens.

use async_trait::async_trait;
use chatledger_domain::{AnyEvent, api_token::ApiTokenEvent};
use sqlx::PgConnection;

use crate::{
    engine::{Batch, Projection, ProjectionError, Table, count_rows},
    text::clean,
};

/// The read model `api_tokens`.
pub(crate) struct ApiTokens;

#[async_trait]
impl Projection for ApiTokens {
    fn name(&self) -> &'static str {
        "api_tokens"
    }

    fn tables(&self) -> &'static [Table] {
        const TABLES: &[Table] = &[Table::small("api_tokens")];
        TABLES
    }

    fn definition(&self) -> &'static [&'static str] {
        &[include_str!("apply.rs")]
    }

    // Tokens change a few times a year, so one statement per event is not worth avoiding.
    async fn apply(&self, db: &mut PgConnection, batch: &Batch<'_>) -> Result<(), ProjectionError> {
        for recorded in &batch.events {
            let AnyEvent::ApiToken(event) = &recorded.event else { continue };
            let stream = &recorded.stream.aggregate_id;
            let more = match event {
                ApiTokenEvent::ApiTokenIssued(e) => {
                    let abilities: Vec<_> = e.abilities.iter().map(|ability| clean(ability).into_owned()).collect();
                    let sql = "INSERT INTO api_tokens
                                   (tenant_id, id, aggregate_id, name, abilities, expires_at, issued_at, last_four)
                               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
                    let change = sqlx::query(sql).bind(batch.tenant.0).bind(recorded.position.0).bind(stream);
                    let change = change.bind(clean(&e.name)).bind(abilities).bind(e.expires_at).bind(e.issued_at);
                    change.bind(clean(&e.last_four)).execute(&mut *db).await?;
                    1
                }
                ApiTokenEvent::ApiTokenRevoked(_) => {
                    let sql = "DELETE FROM api_tokens WHERE tenant_id = $1 AND aggregate_id = $2";
                    let gone = sqlx::query(sql).bind(batch.tenant.0).bind(stream).execute(&mut *db).await?;
                    -i64::try_from(gone.rows_affected()).unwrap_or_default()
                }
            };
            count_rows(&mut *db, batch.tenant, self.name(), more).await?;
        }
        Ok(())
    }
}
