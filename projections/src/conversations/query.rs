//! Reads conversations. What is over is told by the moment of the question.

use chatledger_domain::{Actor, ConversationId, MessageId, TenantId, UserId, WaId, chat::conversation::SPAN};
use sqlx::{PgConnection, QueryBuilder, Row, postgres::PgRow};

use super::{
    ConversationDetailView, ConversationFilter, ConversationStatus, ConversationView,
    status::{self, Compared},
};
use crate::{
    chats::{List, Reach, Sql, by_index},
    inbox::{only_readable, wa_id},
    messages, taggings,
    views::{Page, PageRequest},
};

const COLUMNS: &str = "v.conversation_id, v.wa_id, v.opened_by, v.opened_at, v.expires_at, v.closed_at,
    v.last_message_at, v.message_count, v.first_position";
const CHAT: &str = " JOIN read_models.chats c ON c.tenant_id = v.tenant_id AND c.wa_id = v.wa_id";

/// So many conversations are walked past while one chat is looked into. Measured: sixteen; but where they lie unevenly, a
/// walk takes longer than expected, a look does not.
const WALKED: i64 = 4;

/// Readable conversations, by their newest message.
pub(crate) async fn conversations(
    db: &mut PgConnection,
    tenant: TenantId,
    actor: &Actor,
    filter: ConversationFilter,
    part: PageRequest,
    now: i64,
) -> Result<Page<ConversationView>, sqlx::Error> {
    let status = filter.status;
    let walked = |whose: Option<&Reach>| {
        let first = |sql: &mut Sql| status::push_first(sql, tenant, status, now, part.end(), whose);
        page(part, &first)
    };
    let Some(reach) = Reach::of(actor, filter.assigned_to, None) else {
        let count = status::counts(&mut *db, tenant, now).await?.of(status);
        let rows = if count <= part.offset { Vec::new() } else { walked(None).build().fetch_all(&mut *db).await? };
        return Ok(Page { count, rows: views(db, tenant, &rows, now).await? });
    };
    if reach.is_nothing() {
        return Ok(Page { count: 0, rows: Vec::new() });
    }
    let mut tx = by_index(&mut *db).await?;
    let compared = status::compared(&mut tx, tenant, &reach, now).await?;
    let count = compared.own.of(status);
    let rows = if count <= part.offset {
        Vec::new()
    } else if is_walked(&compared, status, part) {
        walked(Some(&reach)).build().fetch_all(&mut *tx).await?
    } else {
        let list = List {
            table: "read_models.conversations",
            time: "last_message_at",
            id: "conversation_id",
            kinds: status::kinds(status),
            since: silent_since(status, now),
            count,
            among: if status.is_some() { compared.chats } else { count },
            wanted: |sql: &mut Sql| status::push_is(sql, status, now),
        };
        reach.page(&mut tx, tenant, part, &list, |rows| page(part, rows)).await?
    };
    tx.commit().await?;
    Ok(Page { count, rows: views(db, tenant, &rows, now).await? })
}

/// Whether a page of a status is found sooner among everybody's conversations of it than in these chats.
fn is_walked(compared: &Compared, status: Option<ConversationStatus>, part: PageRequest) -> bool {
    let Compared { own, all, chats } = compared;
    let count = own.of(status);
    // Chats with what is over come after those with what is active.
    let before = match status {
        None => return false,
        Some(ConversationStatus::Expired) => own.of(Some(ConversationStatus::Active)),
        Some(_) => 0,
    };
    part.until_full(all.of(status), count) / WALKED <= before + part.until_full(*chats, count)
}

/// The question for a page of conversations.
fn page(part: PageRequest, rows: &dyn Fn(&mut Sql)) -> Sql {
    let mut sql = QueryBuilder::new(format!("SELECT {COLUMNS} FROM "));
    rows(&mut sql);
    sql.push(" v ORDER BY v.last_message_at DESC, v.conversation_id LIMIT ").push_bind(part.limit);
    sql.push(" OFFSET ").push_bind(part.offset);
    sql
}

/// A chat that has been silent since then has no conversation of a status.
fn silent_since(status: Option<ConversationStatus>, now: i64) -> i64 {
    if status == Some(ConversationStatus::Active) { now.saturating_sub(SPAN) } else { i64::MIN }
}

/// A readable conversation with its newest messages.
pub(crate) async fn conversation(
    db: &mut PgConnection,
    tenant: TenantId,
    actor: &Actor,
    id: ConversationId,
    now: i64,
    at_most: i64,
) -> Result<Option<ConversationDetailView>, sqlx::Error> {
    let mut sql = QueryBuilder::new(format!(
        "SELECT {COLUMNS}, (SELECT min(n.first_position) FROM read_models.conversations n
             WHERE n.tenant_id = v.tenant_id AND n.wa_id = v.wa_id AND n.first_position > v.first_position) AS next,
             (SELECT max(r.mark) FROM read_models.received_marks r
             WHERE r.tenant_id = v.tenant_id AND r.wa_id = v.wa_id) AS received_until
         FROM read_models.conversations v{CHAT} WHERE v.tenant_id = "
    ));
    sql.push_bind(tenant.0).push(" AND v.conversation_id = ").push_bind(id.0);
    only_readable(&mut sql, actor);
    let Some(row) = sql.build().fetch_optional(&mut *db).await? else { return Ok(None) };
    let Some(conversation) = views(&mut *db, tenant, std::slice::from_ref(&row), now).await?.pop() else {
        return Ok(None);
    };
    let span = messages::Span {
        first: row.try_get("first_position")?,
        next: row.try_get("next")?,
        until: conversation.last_message_at,
    };
    // Not one more than there are: looking for it would go on to the chat's first message.
    let at_most = at_most.min(conversation.message_count);
    let rows = messages::of_span(&mut *db, tenant, &conversation.wa_id, span, at_most).await?;
    let messages = messages::hydrate(db, tenant, actor.user, rows, &[], &[]).await?.messages;
    Ok(Some(ConversationDetailView { conversation, messages, received_until: row.try_get("received_until")? }))
}

/// The newest conversation of a chat.
pub(crate) async fn newest_of_chat(
    db: &mut PgConnection,
    tenant: TenantId,
    wa_id: &WaId,
) -> Result<Option<ConversationId>, sqlx::Error> {
    let id: Option<uuid::Uuid> = sqlx::query_scalar(
        "SELECT conversation_id FROM read_models.conversations WHERE tenant_id = $1 AND wa_id = $2
         ORDER BY first_position DESC LIMIT 1",
    )
    .bind(tenant.0)
    .bind(wa_id.as_str())
    .fetch_optional(db)
    .await?;
    Ok(id.map(ConversationId))
}

/// With names, tags and who has the chats.
async fn views(
    db: &mut PgConnection,
    tenant: TenantId,
    rows: &[PgRow],
    now: i64,
) -> Result<Vec<ConversationView>, sqlx::Error> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let chats: Vec<&str> = rows.iter().map(|row| row.try_get("wa_id")).collect::<Result<_, _>>()?;
    let tags = taggings::of_chats(&mut *db, tenant, &chats).await?;
    let known: Vec<(String, Option<i64>, Option<String>)> = sqlx::query_as(
        // The name under which the customer is saved goes before its own, as in the list of customers.
        "SELECT c.wa_id, c.assigned_user, coalesce(nullif(k.saved_name, ''), p.name) FROM read_models.chats c
         LEFT JOIN read_models.persons p ON p.tenant_id = c.tenant_id AND p.wa_id = c.wa_id
         LEFT JOIN read_models.customers k ON k.tenant_id = c.tenant_id AND k.wa_id = c.wa_id
         WHERE c.tenant_id = $1 AND c.wa_id = ANY($2)",
    )
    .bind(tenant.0)
    .bind(&chats)
    .fetch_all(db)
    .await?;
    let view = |row: &PgRow| {
        let chat: &str = row.try_get("wa_id")?;
        let (expires_at, closed_at) = (row.try_get("expires_at")?, row.try_get::<Option<i64>, _>("closed_at")?);
        let of_chat = known.iter().find(|(wa_id, ..)| wa_id == chat);
        Ok(ConversationView {
            id: ConversationId(row.try_get("conversation_id")?),
            wa_id: wa_id(chat)?,
            name: of_chat.and_then(|(.., name)| name.clone()).unwrap_or_default(),
            status: match closed_at {
                Some(_) => ConversationStatus::Closed,
                None if now < expires_at => ConversationStatus::Active,
                None => ConversationStatus::Expired,
            },
            assigned_to: of_chat.and_then(|(_, user, _)| user.map(UserId)),
            opened_by: MessageId(row.try_get("opened_by")?),
            opened_at: row.try_get("opened_at")?,
            expires_at,
            closed_at,
            last_message_at: row.try_get("last_message_at")?,
            message_count: row.try_get("message_count")?,
            tags: tags.get(chat).into_iter().flatten().map(|tag| tag.tag.name.clone()).collect(),
        })
    };
    rows.iter().map(view).collect()
}

/// Whether there is such a conversation.
pub(crate) async fn exists(db: &mut PgConnection, tenant: TenantId, id: ConversationId) -> Result<bool, sqlx::Error> {
    let sql = "SELECT EXISTS (SELECT FROM read_models.conversations WHERE tenant_id = $1 AND conversation_id = $2)";
    sqlx::query_scalar(sql).bind(tenant.0).bind(id.0).fetch_one(db).await
}
