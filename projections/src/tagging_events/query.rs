//! Reads the history of taggings, newest first.

use chatledger_domain::{Actor, RawJson, TagId, TenantId};
use sqlx::{PgConnection, Postgres, QueryBuilder, Row};
use uuid::Uuid;

use super::apply::MESSAGES;
use crate::{
    inbox::{counted, only_readable, raw_json, reads_all, wa_id},
    users::users_by_id,
    views::{HistoryFilter, Page, PageRequest, TagView, TaggingEventView},
};

/// Whose history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    /// Of chats.
    Chats,
    /// Of messages.
    Messages,
}

/// The history of readable chats or of their messages. `message` is one message's chat and id.
pub(crate) async fn events(
    db: &mut PgConnection,
    tenant: TenantId,
    actor: &Actor,
    of: Of,
    filter: &HistoryFilter,
    message: Option<Uuid>,
    part: PageRequest,
) -> Result<Page<TaggingEventView>, sqlx::Error> {
    let (from, columns, counter) = match of {
        Of::Chats => ("chat_tagging_events", "NULL::text AS message", "tagging_events"),
        Of::Messages => (
            "message_tagging_events",
            "coalesce((SELECT m.waba_id FROM read_models.messages m
                 WHERE m.tenant_id = e.tenant_id AND m.message_id = e.message_id), e.waba_id, e.message_id::text)
                 AS message",
            MESSAGES,
        ),
    };
    let condition = |sql: &mut QueryBuilder<'_, Postgres>| {
        sql.push(format!(" FROM read_models.{from} e"));
        if !reads_all(actor) {
            sql.push(" JOIN read_models.chats c ON c.tenant_id = e.tenant_id AND c.wa_id = e.wa_id");
        }
        sql.push(" WHERE e.tenant_id = ").push_bind(tenant.0);
        crate::inbox::in_history(sql, filter);
        if let Some(message) = message {
            sql.push(" AND e.message_id = ").push_bind(message);
        }
        only_readable(sql, actor);
    };
    let unfiltered = *filter == HistoryFilter::default();
    let count = if unfiltered && reads_all(actor) {
        counted(&mut *db, tenant, counter).await?
    } else {
        let mut sql = QueryBuilder::new("SELECT count(*)");
        condition(&mut sql);
        sql.build_query_scalar().fetch_one(&mut *db).await?
    };
    let mut sql = QueryBuilder::new(format!(
        "SELECT e.timestamp, e.added, e.tag_id, e.tag_name, e.tag_color, e.wa_id, e.extra::text AS extra, e.done_by,
             {columns}"
    ));
    condition(&mut sql);
    sql.push(" ORDER BY e.timestamp DESC, e.position DESC LIMIT ").push_bind(part.limit);
    sql.push(" OFFSET ").push_bind(part.offset);
    let rows = sql.build().fetch_all(&mut *db).await?;
    let doers = rows.iter().map(|row| row.try_get::<Option<i64>, _>("done_by")).collect::<Result<Vec<_>, _>>()?;
    let users = users_by_id(db, tenant, &doers.iter().copied().flatten().collect::<Vec<_>>()).await?;
    let rows = rows
        .iter()
        .zip(doers)
        .map(|(row, done_by)| {
            Ok(TaggingEventView {
                timestamp: row.try_get("timestamp")?,
                added: row.try_get("added")?,
                tag: TagView {
                    id: TagId(row.try_get("tag_id")?),
                    name: row.try_get("tag_name")?,
                    web_inbox_color: row.try_get("tag_color")?,
                },
                wa_id: wa_id(row.try_get("wa_id")?)?,
                message: row.try_get("message")?,
                extra: row.try_get::<Option<String>, _>("extra")?.map(raw_json).transpose()? as Option<RawJson>,
                done_by: done_by.and_then(|id| users.get(&id).cloned()),
            })
        })
        .collect::<Result<_, sqlx::Error>>()?;
    Ok(Page { count, rows })
}
