//! Folds the events of bulk messages.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chatledger_domain::{
    AnyEvent, Position,
    bulk_message::{BulkElementSettled, BulkMessageCreated, BulkMessageEvent, BulkRecipientErased, ElementOutcome},
    chat::{content::sent_type, forgotten_message},
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    engine::{Batch, Projection, ProjectionError, Rows, Table},
    text::clean,
};

/// The read model `bulk_messages`.
pub(crate) struct BulkMessages;

#[derive(Default)]
struct Elements<'a> {
    ids: Vec<i64>,
    tasks: Vec<Uuid>,
    wa_ids: Vec<&'a str>,
    outcomes: Vec<&'static str>,
    messages: Vec<Option<Uuid>>,
    waba_ids: Vec<Option<String>>,
    errors: Vec<Option<&'a str>>,
    reasons: Vec<Option<String>>,
    timestamps: Vec<i64>,
    done: BTreeMap<Uuid, i64>,
}

impl<'a> Elements<'a> {
    fn push(&mut self, position: Position, element: &'a BulkElementSettled) {
        let (outcome, message, waba_id, errors, reason) = match &element.outcome {
            ElementOutcome::Accepted { message_id, waba_id } => {
                ("accepted", Some(message_id.0), Some(clean(waba_id).into_owned()), None, None)
            }
            ElementOutcome::Queued { message_id } => ("queued", Some(message_id.0), None, None, None),
            ElementOutcome::Rejected { message_id, errors } => {
                ("rejected", Some(message_id.0), None, Some(errors.text()), None)
            }
            ElementOutcome::NotAllowed => ("not_allowed", None, None, None, None),
            ElementOutcome::WindowClosed => ("window_closed", None, None, None, None),
            ElementOutcome::Invalid { reason } => ("invalid", None, None, None, Some(clean(reason).into_owned())),
        };
        self.ids.push(position.0);
        self.tasks.push(element.task);
        self.wa_ids.push(element.wa_id.as_str());
        self.outcomes.push(outcome);
        self.messages.push(message);
        self.waba_ids.push(waba_id);
        self.errors.push(errors);
        self.reasons.push(reason);
        self.timestamps.push(element.timestamp);
        *self.done.entry(element.task).or_default() += 1;
    }

    async fn write(&self, db: &mut PgConnection, batch: &Batch<'_>) -> Result<(), sqlx::Error> {
        if self.ids.is_empty() {
            return Ok(());
        }
        Rows::of("bulk_elements")
            .integers("id", self.ids.iter().copied())
            .uuids("task", self.tasks.iter().copied())
            .texts("wa_id", self.wa_ids.iter().copied())
            .texts("outcome", self.outcomes.iter().copied())
            .uuids("message_id", self.messages.iter().copied())
            .texts("waba_id", self.waba_ids.iter().map(Option::as_deref))
            .jsons("errors", self.errors.iter().copied())
            .texts("reason", self.reasons.iter().map(Option::as_deref))
            .integers("timestamp", self.timestamps.iter().copied())
            .insert(&mut *db, batch.tenant, batch.stage)
            .await?;
        sqlx::query(
            "UPDATE bulk_messages b SET done = b.done + u.more
             FROM unnest($2::uuid[], $3::bigint[]) AS u (task, more) WHERE b.tenant_id = $1 AND b.id = u.task",
        )
        .bind(batch.tenant.0)
        .bind(self.done.keys().copied().collect::<Vec<Uuid>>())
        .bind(self.done.values().copied().collect::<Vec<i64>>())
        .execute(db)
        .await?;
        Ok(())
    }
}

#[async_trait]
impl Projection for BulkMessages {
    fn name(&self) -> &'static str {
        "bulk_messages"
    }

    fn tables(&self) -> &'static [Table] {
        const TABLES: &[Table] =
            &[Table::small("bulk_messages"), Table::looked_up("bulk_elements", &["bulk_elements_of_task"])];
        TABLES
    }

    fn definition(&self) -> &'static [&'static str] {
        &[
            include_str!("apply.rs"),
            include_str!("../../../domain/src/chat/content.rs"),
            include_str!("../../../domain/src/chat/redact.rs"),
        ]
    }

    async fn apply(&self, db: &mut PgConnection, batch: &Batch<'_>) -> Result<(), ProjectionError> {
        let mut elements = Elements::default();
        for recorded in &batch.events {
            match &recorded.event {
                AnyEvent::BulkMessage(BulkMessageEvent::BulkMessageCreated(e)) => {
                    create(&mut *db, batch, recorded.position, e).await?;
                }
                // Of a bulk message that is created by now: they come in order.
                AnyEvent::BulkMessage(BulkMessageEvent::BulkElementSettled(e)) => elements.push(recorded.position, e),
                AnyEvent::BulkMessage(BulkMessageEvent::BulkRecipientErased(e)) => {
                    std::mem::take(&mut elements).write(&mut *db, batch).await?;
                    erase(&mut *db, batch, e).await?;
                }
                _ => {}
            }
        }
        elements.write(db, batch).await?;
        Ok(())
    }
}

/// What is left is what the redacted events say.
async fn erase(db: &mut PgConnection, batch: &Batch<'_>, erased: &BulkRecipientErased) -> Result<(), sqlx::Error> {
    let elements = "UPDATE bulk_elements \
                    SET errors = CASE WHEN errors IS NOT NULL THEN '[]'::json END, \
                        reason = CASE WHEN reason IS NOT NULL THEN '' END \
                    WHERE tenant_id = $1 AND task = $2 AND wa_id = $3";
    let bound = sqlx::query(elements).bind(batch.tenant.0).bind(erased.task).bind(erased.wa_id.as_str());
    bound.execute(&mut *db).await?;
    let alone = "SELECT kind FROM bulk_messages WHERE tenant_id = $1 AND id = $2 AND total = 1";
    let kind: Option<String> =
        sqlx::query_scalar(alone).bind(batch.tenant.0).bind(erased.task).fetch_optional(&mut *db).await?;
    if let Some(kind) = kind {
        let payload = forgotten_message(sent_type(&kind));
        let sql = "UPDATE bulk_messages SET payload = $3::json WHERE tenant_id = $1 AND id = $2";
        sqlx::query(sql).bind(batch.tenant.0).bind(erased.task).bind(payload.text()).execute(db).await?;
    }
    Ok(())
}

async fn create(
    db: &mut PgConnection,
    batch: &Batch<'_>,
    position: Position,
    created: &BulkMessageCreated,
) -> Result<(), sqlx::Error> {
    let named: Vec<&str> = created.recipients.iter().take(created.named).map(|id| id.as_str()).collect();
    sqlx::query(
        "INSERT INTO bulk_messages
             (tenant_id, id, position, sender, kind, payload, recipients, tags, total, done, timestamp)
         VALUES ($1, $2, $3, $4, $5, $6::json, $7, $8, $9, 0, $10)",
    )
    .bind(batch.tenant.0)
    .bind(created.id)
    .bind(position.0)
    .bind(created.sender.0)
    .bind(clean(&created.kind))
    .bind(created.payload.text())
    .bind(named)
    .bind(created.tags.iter().map(|tag| tag.0).collect::<Vec<i64>>())
    .bind(i64::try_from(created.recipients.len()).unwrap_or(i64::MAX))
    .bind(created.timestamp)
    .execute(db)
    .await?;
    Ok(())
}
