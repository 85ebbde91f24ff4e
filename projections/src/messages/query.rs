//! Reads messages as they are stored.

use chatledger_application::ports::read_models::{MessageRef, Sent};
use chatledger_domain::{Actor, MessageId, RawJson, TenantId, WaId};
use sqlx::{PgConnection, Postgres, QueryBuilder, Row, postgres::PgRow};
use uuid::Uuid;

use crate::{
    chats::Reach,
    inbox::{counted, only_readable, raw_json, reads_all, wa_id},
    text::{clean, pattern},
    views::{MessageFilter, PageRequest},
};

const COLUMNS: &str = "m.message_id, m.waba_id, m.wa_id, m.timestamp, m.from_us, m.kind, m.payload::text AS payload,
    m.errors::text AS errors, m.sent, m.delivered, m.read, m.is_failed, m.sender, m.context";

/// A message as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct MessageRow {
    pub message_id: Uuid,
    pub waba_id: Option<String>,
    pub wa_id: String,
    pub timestamp: i64,
    pub from_us: bool,
    pub kind: String,
    pub payload: RawJson,
    pub errors: Option<RawJson>,
    pub sent: i64,
    pub delivered: i64,
    pub read: i64,
    pub is_failed: bool,
    pub sender: Option<i64>,
    pub context: Option<String>,
}

fn row(row: &PgRow) -> Result<MessageRow, sqlx::Error> {
    Ok(MessageRow {
        message_id: row.try_get("message_id")?,
        waba_id: row.try_get("waba_id")?,
        wa_id: row.try_get("wa_id")?,
        timestamp: row.try_get("timestamp")?,
        from_us: row.try_get("from_us")?,
        kind: row.try_get("kind")?,
        payload: raw_json(row.try_get("payload")?)?,
        errors: row.try_get::<Option<String>, _>("errors")?.map(raw_json).transpose()?,
        sent: row.try_get("sent")?,
        delivered: row.try_get("delivered")?,
        read: row.try_get("read")?,
        is_failed: row.try_get("is_failed")?,
        sender: row.try_get("sender")?,
        context: row.try_get("context")?,
    })
}

/// Our id that a text names, and WhatsApp's that it may be.
fn either_id(id: &str) -> (Option<Uuid>, String) {
    (Uuid::try_parse(id).ok(), clean(id).into_owned())
}

/// A part of a chat: the messages between two positions, none of them newer than `until`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub first: i64,
    /// The first position behind it.
    pub next: Option<i64>,
    pub until: i64,
}

/// The newest messages of a part of a chat, the oldest of them first; WhatsApp's own notices aside.
pub(crate) async fn of_span(
    db: &mut PgConnection,
    tenant: TenantId,
    wa_id: &WaId,
    span: Span,
    at_most: i64,
) -> Result<Vec<MessageRow>, sqlx::Error> {
    let rows = sqlx::query(&format!(
        "SELECT {COLUMNS} FROM read_models.messages m
         WHERE m.tenant_id = $1 AND m.wa_id = $2 AND m.timestamp <= $3 AND m.position >= $4
             AND ($5::bigint IS NULL OR m.position < $5) AND (m.from_us OR m.kind <> 'system')
         ORDER BY m.timestamp DESC, m.position DESC LIMIT $6"
    ))
    .bind(tenant.0)
    .bind(wa_id.as_str())
    .bind(span.until)
    .bind(span.first)
    .bind(span.next)
    .bind(at_most)
    .fetch_all(db)
    .await?;
    rows.iter().rev().map(row).collect()
}

/// Messages by our id or WhatsApp's, in no order.
pub(crate) async fn rows_by_id(
    db: &mut PgConnection,
    tenant: TenantId,
    ours: &[Uuid],
    theirs: &[&str],
) -> Result<Vec<MessageRow>, sqlx::Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM read_models.messages m WHERE m.tenant_id = $1 AND m.message_id = ANY($2)
         UNION ALL
         SELECT {COLUMNS} FROM read_models.messages m
         WHERE m.tenant_id = $1 AND m.waba_id = ANY($3) AND NOT m.message_id = ANY($2)"
    );
    let rows = sqlx::query(&sql).bind(tenant.0).bind(ours).bind(theirs).fetch_all(db).await?;
    rows.iter().map(row).collect()
}

/// A message of a readable chat, by our id or WhatsApp's.
pub(crate) async fn message(
    db: &mut PgConnection,
    tenant: TenantId,
    actor: &Actor,
    id: &str,
) -> Result<Option<MessageRow>, sqlx::Error> {
    let (ours, theirs) = either_id(id);
    let mut sql = QueryBuilder::<Postgres>::new(format!(
        "SELECT {COLUMNS} FROM read_models.messages m
         JOIN read_models.chats c ON c.tenant_id = m.tenant_id AND c.wa_id = m.wa_id WHERE m.tenant_id = "
    ));
    sql.push_bind(tenant.0).push(" AND (m.message_id = ").push_bind(ours);
    sql.push(" OR m.waba_id = ").push_bind(theirs).push(")");
    only_readable(&mut sql, actor);
    // Our own id first: WhatsApp could hand out a text that looks like one.
    sql.push(" ORDER BY (m.message_id = ").push_bind(ours).push(") DESC NULLS LAST, m.position LIMIT 1");
    sql.build().fetch_optional(db).await?.as_ref().map(row).transpose()
}

/// The chat and ids of a message, by our id or WhatsApp's.
pub(crate) async fn message_ref(
    db: &mut PgConnection,
    tenant: TenantId,
    id: &str,
) -> Result<Option<MessageRef>, sqlx::Error> {
    let (ours, theirs) = either_id(id);
    let found = sqlx::query(
        "SELECT wa_id, message_id, waba_id FROM read_models.messages
         WHERE tenant_id = $1 AND (message_id = $2 OR waba_id = $3)
         ORDER BY (message_id = $2) DESC NULLS LAST, position LIMIT 1",
    )
    .bind(tenant.0)
    .bind(ours)
    .bind(theirs)
    .fetch_optional(db)
    .await?;
    let Some(row) = found else { return Ok(None) };
    Ok(Some(MessageRef {
        wa_id: wa_id(row.try_get("wa_id")?)?,
        message_id: MessageId(row.try_get("message_id")?),
        waba_id: row.try_get("waba_id")?,
    }))
}

/// WhatsApp's id of the newest message that the customer sent up to a time.
pub(crate) async fn newest_incoming(
    db: &mut PgConnection,
    tenant: TenantId,
    chat: &WaId,
    until: i64,
) -> Result<Option<String>, sqlx::Error> {
    let sql = "SELECT waba_id FROM read_models.messages
               WHERE tenant_id = $1 AND wa_id = $2 AND NOT from_us AND timestamp <= $3 AND waba_id IS NOT NULL
               ORDER BY timestamp DESC, position DESC LIMIT 1";
    sqlx::query_scalar(sql).bind(tenant.0).bind(chat.as_str()).bind(until).fetch_optional(db).await
}

/// What became of a message that was queued.
pub(crate) async fn sent(
    db: &mut PgConnection,
    tenant: TenantId,
    message: MessageId,
) -> Result<Option<Sent>, sqlx::Error> {
    let found = sqlx::query(
        "SELECT waba_id, response::text AS response, is_failed, errors::text AS errors FROM read_models.messages
         WHERE tenant_id = $1 AND message_id = $2",
    )
    .bind(tenant.0)
    .bind(message.0)
    .fetch_optional(db)
    .await?;
    let Some(row) = found else { return Ok(None) };
    let waba_id: Option<String> = row.try_get("waba_id")?;
    Ok(Some(match waba_id {
        // A failure reported later does not undo that WhatsApp took it.
        Some(waba_id) => Sent::Accepted(waba_id, row.try_get("response")?),
        None if row.try_get("is_failed")? => {
            Sent::Rejected(row.try_get::<Option<String>, _>("errors")?.unwrap_or_else(|| "[]".to_owned()))
        }
        None => Sent::Waiting,
    }))
}

/// Appends what the filter and the actor's scope say of a message's chat, `c`.
fn of_chat(sql: &mut QueryBuilder<'_, Postgres>, actor: &Actor, filter: &MessageFilter) {
    if let Some(wa_id) = &filter.wa_id {
        sql.push(" AND c.wa_id = ").push_bind(wa_id.as_str().to_owned());
    }
    if filter.assigned_to_me {
        sql.push(" AND c.assigned_user = ").push_bind(actor.user.0);
    }
    if let Some(group) = filter.assigned_group {
        sql.push(" AND c.assigned_group = ").push_bind(group.0);
    }
    if let Some(tag) = filter.tag {
        sql.push(
            " AND EXISTS (SELECT FROM read_models.chat_taggings x
                 WHERE x.tenant_id = c.tenant_id AND x.wa_id = c.wa_id AND x.tag_id = ",
        );
        sql.push_bind(tag.0).push(")");
    }
    only_readable(sql, actor);
}

/// Appends what the filter and the actor's scope say of a message, `m`.
fn condition(sql: &mut QueryBuilder<'_, Postgres>, tenant: TenantId, actor: &Actor, filter: &MessageFilter) {
    sql.push(" FROM read_models.messages m");
    let by_chat = !reads_all(actor) || filter.assigned_to_me || filter.assigned_group.is_some() || filter.tag.is_some();
    if by_chat {
        sql.push(" JOIN read_models.chats c ON c.tenant_id = m.tenant_id AND c.wa_id = m.wa_id");
    }
    sql.push(" WHERE m.tenant_id = ").push_bind(tenant.0);
    if let Some(wa_id) = &filter.wa_id {
        sql.push(" AND m.wa_id = ").push_bind(wa_id.as_str().to_owned());
    }
    if let Some(since) = filter.since {
        sql.push(" AND m.timestamp >= ").push_bind(since);
    }
    if let Some(before) = filter.before {
        sql.push(" AND m.timestamp < ").push_bind(before);
    }
    if let Some(search) = &filter.search {
        sql.push(" AND m.search LIKE ").push_bind(pattern(search));
    }
    if let Some(from_us) = filter.from_us {
        sql.push(" AND m.from_us = ").push_bind(from_us);
    }
    if by_chat {
        of_chat(sql, actor, filter);
    }
}

/// How far into the messages of some chats their order by chat is used.
const DEPTH: i64 = 1_000;

/// The newest messages of chats that are told by their assignment alone; `None` where something else decides too.
///
/// The first `n` messages lie in the `n` chats whose newest messages are newest: no others are looked at.
async fn held(
    db: &mut PgConnection,
    tenant: TenantId,
    actor: &Actor,
    filter: &MessageFilter,
    part: PageRequest,
) -> Result<Option<(i64, Vec<MessageRow>)>, sqlx::Error> {
    let plain = MessageFilter {
        assigned_to_me: filter.assigned_to_me,
        assigned_group: filter.assigned_group,
        ..MessageFilter::default()
    };
    let depth = part.end();
    let user = filter.assigned_to_me.then_some(actor.user);
    let Some(reach) = Reach::of(actor, user, filter.assigned_group) else { return Ok(None) };
    if *filter != plain || depth > DEPTH {
        return Ok(None);
    }
    if reach.is_nothing() {
        return Ok(Some((0, Vec::new())));
    }
    let (_, count) = reach.count(&mut *db, tenant).await?;
    let order = "c.last_timestamp DESC, c.last_position DESC";
    let mut sql = QueryBuilder::new(format!(
        "SELECT {COLUMNS} FROM (SELECT n.wa_id, n.timestamp, n.position FROM (SELECT c.wa_id FROM "
    ));
    reach.push_first(&mut sql, tenant, "c.wa_id, c.last_timestamp, c.last_position", order, depth);
    sql.push(format!(" c ORDER BY {order} LIMIT ")).push_bind(depth);
    sql.push(") k, LATERAL (SELECT m.wa_id, m.timestamp, m.position FROM read_models.messages m WHERE m.tenant_id = ");
    sql.push_bind(tenant.0).push(" AND m.wa_id = k.wa_id ORDER BY m.timestamp DESC, m.position DESC LIMIT ");
    sql.push_bind(depth).push(") n ORDER BY n.timestamp DESC, n.position DESC LIMIT ").push_bind(part.limit);
    sql.push(" OFFSET ").push_bind(part.offset);
    sql.push(") p, LATERAL (SELECT * FROM read_models.messages m WHERE m.tenant_id = ").push_bind(tenant.0);
    sql.push(
        " AND m.wa_id = p.wa_id AND m.timestamp = p.timestamp AND m.position = p.position LIMIT 1) m
         ORDER BY m.timestamp DESC, m.position DESC",
    );
    let rows = sql.build().fetch_all(db).await?;
    Ok(Some((count, rows.iter().map(row).collect::<Result<_, _>>()?)))
}

/// The messages of readable chats, newest first (R-MSG-1), and how many there are.
pub(crate) async fn messages(
    db: &mut PgConnection,
    tenant: TenantId,
    actor: &Actor,
    filter: &MessageFilter,
    part: PageRequest,
) -> Result<(i64, Vec<MessageRow>), sqlx::Error> {
    if let Some(found) = held(&mut *db, tenant, actor, filter, part).await? {
        return Ok(found);
    }
    let whole_chats =
        filter.since.is_none() && filter.before.is_none() && filter.search.is_none() && filter.from_us.is_none();
    let count = if reads_all(actor) && *filter == MessageFilter::default() {
        counted(&mut *db, tenant, "messages").await?
    } else if whole_chats {
        // Each chat knows how many messages it has.
        let mut sql = QueryBuilder::new("SELECT coalesce(sum(c.message_total), 0)::bigint FROM read_models.chats c");
        sql.push(" WHERE c.tenant_id = ").push_bind(tenant.0);
        of_chat(&mut sql, actor, filter);
        sql.build_query_scalar().fetch_one(&mut *db).await?
    } else {
        let mut sql = QueryBuilder::new("SELECT count(*)");
        condition(&mut sql, tenant, actor, filter);
        sql.build_query_scalar().fetch_one(&mut *db).await?
    };
    let mut sql = QueryBuilder::new(format!("SELECT {COLUMNS}"));
    condition(&mut sql, tenant, actor, filter);
    sql.push(" ORDER BY m.timestamp DESC, m.position DESC LIMIT ").push_bind(part.limit);
    sql.push(" OFFSET ").push_bind(part.offset);
    let rows = sql.build().fetch_all(db).await?;
    Ok((count, rows.iter().map(row).collect::<Result<_, _>>()?))
}
