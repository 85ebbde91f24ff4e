//! Folds the events of webhooks.

use async_trait::async_trait;
use chatledger_domain::{AnyEvent, Endpoint, webhook::Subscriptions, webhook::WebhookEvent};
use sqlx::{PgConnection, Postgres, postgres::PgArguments, query::Query};

use crate::{
    engine::{Batch, Projection, ProjectionError, Table, count_rows},
    text::clean,
};

/// The read model `webhooks`.
pub(crate) struct Webhooks;

#[async_trait]
impl Projection for Webhooks {
    fn name(&self) -> &'static str {
        "webhooks"
    }

    fn tables(&self) -> &'static [Table] {
        const TABLES: &[Table] = &[Table::small("webhooks")];
        TABLES
    }

    fn definition(&self) -> &'static [&'static str] {
        &[include_str!("apply.rs")]
    }

    // Webhooks change a few times a year, so one statement per event is not worth avoiding.
    async fn apply(&self, db: &mut PgConnection, batch: &Batch<'_>) -> Result<(), ProjectionError> {
        for recorded in &batch.events {
            let AnyEvent::Webhook(event) = &recorded.event else { continue };
            let stream = &recorded.stream.aggregate_id;
            let more = match event {
                WebhookEvent::WebhookRegistered(e) => {
                    let sql = "INSERT INTO webhooks (tenant_id, aggregate_id, origin, header_names, secret,
                                   on_incoming_message, on_outgoing_message, on_assigned, id, user_id)
                               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
                    let change = sqlx::query(sql).bind(batch.tenant.0).bind(stream);
                    let change = told(change, &e.endpoint, e.subscriptions);
                    change.bind(recorded.position.0).bind(e.user.0).execute(&mut *db).await?;
                    1
                }
                WebhookEvent::WebhookChanged(e) => {
                    let sql = "UPDATE webhooks SET origin = $3, header_names = $4, secret = $5,
                                   on_incoming_message = $6, on_outgoing_message = $7, on_assigned = $8
                               WHERE tenant_id = $1 AND aggregate_id = $2";
                    let change = sqlx::query(sql).bind(batch.tenant.0).bind(stream);
                    told(change, &e.endpoint, e.subscriptions).execute(&mut *db).await?;
                    0
                }
                WebhookEvent::WebhookDisabled(e) => {
                    let sql = "UPDATE webhooks
                                  SET disabled_at = $3, disabled_reason = $4, failing_since = $5
                               WHERE tenant_id = $1 AND aggregate_id = $2";
                    let change = sqlx::query(sql).bind(batch.tenant.0).bind(stream).bind(e.timestamp);
                    change.bind(e.reason.as_str()).bind(e.since).execute(&mut *db).await?;
                    0
                }
                WebhookEvent::WebhookEnabled(_) => {
                    let sql = "UPDATE webhooks
                                  SET disabled_at = NULL, disabled_reason = NULL, failing_since = NULL
                               WHERE tenant_id = $1 AND aggregate_id = $2";
                    sqlx::query(sql).bind(batch.tenant.0).bind(stream).execute(&mut *db).await?;
                    0
                }
                WebhookEvent::WebhookDeleted(_) => {
                    let sql = "DELETE FROM webhooks WHERE tenant_id = $1 AND aggregate_id = $2";
                    let gone = sqlx::query(sql).bind(batch.tenant.0).bind(stream).execute(&mut *db).await?;
                    -i64::try_from(gone.rows_affected()).unwrap_or_default()
                }
            };
            count_rows(&mut *db, batch.tenant, self.name(), more).await?;
        }
        Ok(())
    }
}

type Change<'q> = Query<'q, Postgres, PgArguments>;

fn told<'q>(change: Change<'q>, endpoint: &Endpoint, subscriptions: Subscriptions) -> Change<'q> {
    change
        .bind(clean(&endpoint.origin).into_owned())
        .bind(endpoint.header_names.iter().map(|name| clean(name).into_owned()).collect::<Vec<_>>())
        .bind(endpoint.secret.0)
        .bind(subscriptions.on_incoming_message)
        .bind(subscriptions.on_outgoing_message)
        .bind(subscriptions.on_assigned)
}
