//! Reads bulk messages and what became of each recipient's.

use std::sync::Arc;

use chatledger_domain::{MessageId, RawJson, TagId, TenantId, UserId, WaId, bulk_message::ElementOutcome};
use sqlx::{PgConnection, Postgres, QueryBuilder, Row, postgres::PgRow};
use uuid::Uuid;

use crate::{
    inbox::{Answer, Inbox, raw_json, wa_id},
    users::users_by_id,
    views::{Page, PageRequest, UserView},
};

/// A bulk message.
#[derive(Clone, Debug)]
pub struct BulkMessageView {
    /// Its id.
    pub id: Uuid,
    /// Who sends.
    pub sender: Option<Arc<UserView>>,
    /// The type of message, as the client named it.
    pub kind: String,
    /// The payload as the client gave it.
    pub payload: RawJson,
    /// Those who were named.
    pub recipients: Vec<String>,
    /// The tags whose chats get one.
    pub tags: Vec<TagId>,
    /// How many get one.
    pub total: i64,
    /// Of how many the outcome is known.
    pub done: i64,
    /// POSIX seconds.
    pub timestamp: i64,
}

/// What became of one recipient's message.
#[derive(Clone, Debug)]
pub struct BulkElementView {
    /// Its id.
    pub id: i64,
    /// The bulk message.
    pub task: Uuid,
    /// The recipient.
    pub wa_id: WaId,
    /// What became of it.
    pub outcome: ElementOutcome,
    /// POSIX seconds.
    pub timestamp: i64,
}

/// Which bulk messages.
#[derive(Clone, Copy, Debug, Default)]
pub struct BulkFilter {
    /// Of this sender.
    pub sender: Option<UserId>,
    /// Only this one.
    pub task: Option<Uuid>,
}

impl Inbox {
    /// Bulk messages, newest first.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn bulk_messages(
        &self,
        tenant: TenantId,
        filter: BulkFilter,
        part: PageRequest,
    ) -> Answer<Page<BulkMessageView>> {
        self.ask(tenant, async |db| tasks(db, tenant, filter, part).await).await
    }

    /// What became of the recipients' messages, newest first.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn bulk_elements(
        &self,
        tenant: TenantId,
        filter: BulkFilter,
        part: PageRequest,
    ) -> Answer<Page<BulkElementView>> {
        self.ask(tenant, async |db| elements(db, tenant, filter, part).await).await
    }
}

/// Appends which bulk messages `b` are wanted.
fn wanted(sql: &mut QueryBuilder<'_, Postgres>, tenant: TenantId, filter: BulkFilter) {
    sql.push(" WHERE b.tenant_id = ").push_bind(tenant.0);
    if let Some(sender) = filter.sender {
        sql.push(" AND b.sender = ").push_bind(sender.0);
    }
    if let Some(task) = filter.task {
        sql.push(" AND b.id = ").push_bind(task);
    }
}

async fn tasks(
    db: &mut PgConnection,
    tenant: TenantId,
    filter: BulkFilter,
    part: PageRequest,
) -> Result<Page<BulkMessageView>, sqlx::Error> {
    let mut sql = QueryBuilder::new("SELECT count(*) FROM read_models.bulk_messages b");
    wanted(&mut sql, tenant, filter);
    let count = sql.build_query_scalar().fetch_one(&mut *db).await?;
    let mut sql = QueryBuilder::new(
        "SELECT b.id, b.sender, b.kind, b.payload::text AS payload, b.recipients, b.tags, b.total, b.done, b.timestamp
         FROM read_models.bulk_messages b",
    );
    wanted(&mut sql, tenant, filter);
    sql.push(" ORDER BY b.position DESC LIMIT ").push_bind(part.limit).push(" OFFSET ").push_bind(part.offset);
    let rows = sql.build().fetch_all(&mut *db).await?;
    let senders = rows.iter().map(|row| row.try_get("sender")).collect::<Result<Vec<i64>, _>>()?;
    let users = users_by_id(db, tenant, &senders).await?;
    let view = |row: &PgRow| {
        Ok(BulkMessageView {
            id: row.try_get("id")?,
            sender: users.get(&row.try_get::<i64, _>("sender")?).cloned(),
            kind: row.try_get("kind")?,
            payload: raw_json(row.try_get("payload")?)?,
            recipients: row.try_get("recipients")?,
            tags: row.try_get::<Vec<i64>, _>("tags")?.into_iter().map(TagId).collect(),
            total: row.try_get("total")?,
            done: row.try_get("done")?,
            timestamp: row.try_get("timestamp")?,
        })
    };
    Ok(Page { count, rows: rows.iter().map(view).collect::<Result<_, sqlx::Error>>()? })
}

/// Who sends a bulk message.
pub(crate) async fn sender(db: &mut PgConnection, tenant: TenantId, task: Uuid) -> Result<Option<UserId>, sqlx::Error> {
    let sql = "SELECT sender FROM read_models.bulk_messages WHERE tenant_id = $1 AND id = $2";
    Ok(sqlx::query_scalar(sql).bind(tenant.0).bind(task).fetch_optional(db).await?.map(UserId))
}

/// One bulk message.
pub(crate) async fn task(
    db: &mut PgConnection,
    tenant: TenantId,
    task: Uuid,
) -> Result<Option<BulkMessageView>, sqlx::Error> {
    let part = PageRequest { limit: 1, offset: 0 };
    Ok(tasks(db, tenant, BulkFilter { sender: None, task: Some(task) }, part).await?.rows.pop())
}

async fn elements(
    db: &mut PgConnection,
    tenant: TenantId,
    filter: BulkFilter,
    part: PageRequest,
) -> Result<Page<BulkElementView>, sqlx::Error> {
    const FROM: &str = " FROM read_models.bulk_elements e
        JOIN read_models.bulk_messages b ON b.tenant_id = e.tenant_id AND b.id = e.task";
    let mut sql = QueryBuilder::new(format!("SELECT count(*){FROM}"));
    wanted(&mut sql, tenant, filter);
    let count = sql.build_query_scalar().fetch_one(&mut *db).await?;
    let mut sql = QueryBuilder::new(format!(
        "SELECT e.id, e.task, e.wa_id, e.outcome, e.message_id, e.waba_id, e.errors::text AS errors, e.reason,
             e.timestamp{FROM}"
    ));
    wanted(&mut sql, tenant, filter);
    sql.push(" ORDER BY e.id DESC LIMIT ").push_bind(part.limit).push(" OFFSET ").push_bind(part.offset);
    let rows = sql.build().fetch_all(db).await?;
    Ok(Page { count, rows: rows.iter().map(element).collect::<Result<_, _>>()? })
}

fn element(row: &PgRow) -> Result<BulkElementView, sqlx::Error> {
    let message_id = MessageId(row.try_get::<Option<Uuid>, _>("message_id")?.unwrap_or_default());
    let outcome = match row.try_get("outcome")? {
        "accepted" => {
            let waba_id = row.try_get::<Option<String>, _>("waba_id")?.unwrap_or_default();
            ElementOutcome::Accepted { message_id, waba_id }
        }
        "queued" => ElementOutcome::Queued { message_id },
        "rejected" => {
            let errors = row.try_get::<Option<String>, _>("errors")?.unwrap_or_else(|| "[]".to_owned());
            ElementOutcome::Rejected { message_id, errors: raw_json(errors)? }
        }
        "not_allowed" => ElementOutcome::NotAllowed,
        "window_closed" => ElementOutcome::WindowClosed,
        _ => ElementOutcome::Invalid { reason: row.try_get::<Option<String>, _>("reason")?.unwrap_or_default() },
    };
    Ok(BulkElementView {
        id: row.try_get("id")?,
        task: row.try_get("task")?,
        wa_id: wa_id(row.try_get("wa_id")?)?,
        outcome,
        timestamp: row.try_get("timestamp")?,
    })
}
