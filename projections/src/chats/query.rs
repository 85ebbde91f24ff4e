//! Reads chats.

use std::collections::HashMap;

use chatledger_domain::{Actor, GroupId, TenantId, UserId, WaId, permission::Assignment};
use sqlx::{PgConnection, Postgres, QueryBuilder, Row, postgres::PgRow};
use uuid::Uuid;

use super::{Reach, Sql, push_looked_up};
use crate::{
    contacts,
    groups::groups_by_id,
    inbox::{counted, only_readable, reads_all, wa_id},
    messages::{hydrate, rows_by_id},
    persons::Known,
    text::pattern,
    views::{AssignmentView, ChatFilter, ChatView, Page, PageRequest},
};

struct ChatRow {
    wa_id: String,
    last_message_id: Uuid,
    incoming_total: i64,
    assigned_user: Option<i64>,
    assigned_group: Option<i64>,
}

fn row(row: &PgRow) -> Result<ChatRow, sqlx::Error> {
    Ok(ChatRow {
        wa_id: row.try_get("wa_id")?,
        last_message_id: row.try_get("last_message_id")?,
        incoming_total: row.try_get("incoming_total")?,
        assigned_user: row.try_get("assigned_user")?,
        assigned_group: row.try_get("assigned_group")?,
    })
}

const COLUMNS: &str = "c.wa_id, c.last_message_id, c.incoming_total, c.assigned_user, c.assigned_group";
/// R-CHAT-1.
const ORDER: &str = "c.sort_timestamp DESC, c.wa_id";

/// What is searched for: a pattern for persons, the tags whose names match it, and whether a saved contact does.
struct Search {
    pattern: String,
    tags: Vec<i64>,
    saved: bool,
}

impl Search {
    async fn of(db: &mut PgConnection, tenant: TenantId, filter: &ChatFilter) -> Result<Option<Self>, sqlx::Error> {
        let Some(pattern) = filter.search.as_deref().map(pattern) else { return Ok(None) };
        let sql = "SELECT id FROM read_models.tags WHERE tenant_id = $1 AND name_key LIKE $2";
        let tags = sqlx::query_scalar(sql).bind(tenant.0).bind(&pattern).fetch_all(&mut *db).await?;
        let saved = contacts::any_saved_matches(db, &pattern).await?;
        Ok(Some(Self { pattern, tags, saved }))
    }

    /// Appends the chats found. That no tag or saved contact matches is told to the planner by leaving them out: it
    /// would expect thousands of them and read every chat. `OFFSET 0` keeps it from walking the chats by time until
    /// enough happen to match.
    fn from(&self, sql: &mut Sql, tenant: TenantId) {
        sql.push("(SELECT p.wa_id FROM read_models.search_persons(").push_bind(self.pattern.clone());
        sql.push(") AS p(wa_id)");
        if !self.tags.is_empty() {
            sql.push(" UNION SELECT x.wa_id FROM read_models.chat_taggings x WHERE x.tenant_id = ").push_bind(tenant.0);
            sql.push(" AND x.tag_id = ANY(").push_bind(self.tags.clone()).push(")");
        }
        if self.saved {
            sql.push(" UNION SELECT s.wa_id FROM read_models.search_contacts(").push_bind(self.pattern.clone());
            sql.push(") AS s(wa_id)");
        }
        sql.push(" OFFSET 0) f");
        push_looked_up(sql, tenant, "read_models.chats", "c", "f");
    }
}

/// Appends where the chats come from and which are wanted.
fn from(sql: &mut Sql, tenant: TenantId, actor: &Actor, filter: &ChatFilter, search: Option<&Search>) {
    sql.push(" FROM ");
    match search {
        Some(search) => search.from(sql, tenant),
        None => {
            sql.push("read_models.chats c");
        }
    }
    if filter.unread.is_some() {
        sql.push(
            " LEFT JOIN read_models.received_marks r ON r.tenant_id = c.tenant_id AND r.wa_id = c.wa_id
                  AND r.user_id = ",
        );
        sql.push_bind(actor.user.0);
    }
    sql.push(" WHERE c.tenant_id = ").push_bind(tenant.0);
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
    if let Some(unread) = filter.unread {
        sql.push(" AND (c.incoming_total > coalesce(r.incoming_read, 0)) = ").push_bind(unread);
    }
    if filter.messages_since.is_some() || filter.messages_before.is_some() {
        sql.push(
            " AND EXISTS (SELECT FROM read_models.messages m WHERE m.tenant_id = c.tenant_id AND m.wa_id = c.wa_id",
        );
        if let Some(since) = filter.messages_since {
            sql.push(" AND m.timestamp >= ").push_bind(since);
        }
        if let Some(before) = filter.messages_before {
            sql.push(" AND m.timestamp < ").push_bind(before);
        }
        sql.push(")");
    }
    only_readable(sql, actor);
}

/// The readable chats (R-CHAT-1 … R-CHAT-5).
pub(crate) async fn chats(
    db: &mut PgConnection,
    tenant: TenantId,
    actor: &Actor,
    filter: &ChatFilter,
    part: PageRequest,
) -> Result<Page<ChatView>, sqlx::Error> {
    if let Some(reach) = by_assignment(actor, filter) {
        return held(db, tenant, actor, &reach, part).await;
    }
    let search = Search::of(&mut *db, tenant, filter).await?;
    let mut sql = QueryBuilder::new(format!("SELECT {COLUMNS}"));
    if search.is_some() {
        // All that matches is found anyway, so it is counted on the way.
        sql.push(", count(*) OVER () AS matches");
    }
    from(&mut sql, tenant, actor, filter, search.as_ref());
    sql.push(" ORDER BY ").push(ORDER).push(" LIMIT ").push_bind(part.limit);
    sql.push(" OFFSET ").push_bind(part.offset);
    let rows = sql.build().fetch_all(&mut *db).await?;
    let count = match rows.first().filter(|_| search.is_some()) {
        Some(row) => row.try_get("matches")?,
        None if reads_all(actor) && *filter == ChatFilter::default() => counted(&mut *db, tenant, "chats").await?,
        None => {
            let mut sql = QueryBuilder::new("SELECT count(*)");
            from(&mut sql, tenant, actor, filter, search.as_ref());
            sql.build_query_scalar().fetch_one(&mut *db).await?
        }
    };
    let rows = rows.iter().map(row).collect::<Result<Vec<_>, _>>()?;
    Ok(Page { count, rows: complete(db, tenant, actor.user, rows).await? })
}

/// Whose chats are wanted, where nothing but their assignment decides.
fn by_assignment(actor: &Actor, filter: &ChatFilter) -> Option<Reach> {
    let plain = ChatFilter {
        assigned_to_me: filter.assigned_to_me,
        assigned_group: filter.assigned_group,
        ..ChatFilter::default()
    };
    Reach::of(actor, filter.assigned_to_me.then_some(actor.user), filter.assigned_group).filter(|_| *filter == plain)
}

async fn held(
    db: &mut PgConnection,
    tenant: TenantId,
    actor: &Actor,
    reach: &Reach,
    part: PageRequest,
) -> Result<Page<ChatView>, sqlx::Error> {
    if reach.is_nothing() {
        return Ok(Page { count: 0, rows: Vec::new() });
    }
    let (count, _) = reach.count(&mut *db, tenant).await?;
    let mut sql = QueryBuilder::new(format!("SELECT {COLUMNS} FROM "));
    let columns = format!("{COLUMNS}, c.sort_timestamp");
    reach.push_first(&mut sql, tenant, &columns, ORDER, part.end());
    sql.push(" c ORDER BY ").push(ORDER).push(" LIMIT ").push_bind(part.limit).push(" OFFSET ").push_bind(part.offset);
    let rows = sql.build().fetch_all(&mut *db).await?;
    let rows = rows.iter().map(row).collect::<Result<Vec<_>, _>>()?;
    Ok(Page { count, rows: complete(db, tenant, actor.user, rows).await? })
}

/// A readable chat.
pub(crate) async fn chat(
    db: &mut PgConnection,
    tenant: TenantId,
    actor: &Actor,
    wa_id: &WaId,
) -> Result<Option<ChatView>, sqlx::Error> {
    let mut sql = QueryBuilder::<Postgres>::new(format!("SELECT {COLUMNS} FROM read_models.chats c"));
    sql.push(" WHERE c.tenant_id = ").push_bind(tenant.0).push(" AND c.wa_id = ").push_bind(wa_id.as_str().to_owned());
    only_readable(&mut sql, actor);
    let Some(found) = sql.build().fetch_optional(&mut *db).await? else { return Ok(None) };
    Ok(complete(db, tenant, actor.user, vec![row(&found)?]).await?.pop())
}

/// Some chats, as a user sees them.
pub(crate) async fn chats_by_id(
    db: &mut PgConnection,
    tenant: TenantId,
    reader: UserId,
    wa_ids: &[&str],
) -> Result<Vec<ChatView>, sqlx::Error> {
    let sql = format!("SELECT {COLUMNS} FROM read_models.chats c WHERE c.tenant_id = $1 AND c.wa_id = ANY($2)");
    let rows = sqlx::query(&sql).bind(tenant.0).bind(wa_ids).fetch_all(&mut *db).await?;
    complete(db, tenant, reader, rows.iter().map(row).collect::<Result<_, _>>()?).await
}

/// Whose chats they are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Holder {
    User(UserId),
    Group(GroupId),
}

/// Some chats that are assigned to a user or group.
pub(crate) async fn held_by(
    db: &mut PgConnection,
    tenant: TenantId,
    holder: Holder,
    limit: i64,
) -> Result<Vec<WaId>, sqlx::Error> {
    let (column, id) = match holder {
        Holder::User(user) => ("assigned_user", user.0),
        Holder::Group(group) => ("assigned_group", group.0),
    };
    let sql = format!(
        "SELECT wa_id FROM read_models.chats WHERE tenant_id = $1 AND {column} = $2
         ORDER BY sort_timestamp DESC, wa_id LIMIT $3"
    );
    let ids: Vec<String> = sqlx::query_scalar(&sql).bind(tenant.0).bind(id).bind(limit).fetch_all(db).await?;
    ids.iter().map(|id| wa_id(id)).collect()
}

async fn complete(
    db: &mut PgConnection,
    tenant: TenantId,
    reader: UserId,
    rows: Vec<ChatRow>,
) -> Result<Vec<ChatView>, sqlx::Error> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let last =
        rows_by_id(&mut *db, tenant, &rows.iter().map(|row| row.last_message_id).collect::<Vec<_>>(), &[]).await?;
    let wa_ids = rows.iter().map(|row| row.wa_id.as_str()).collect::<Vec<_>>();
    let users = rows.iter().filter_map(|row| row.assigned_user).collect::<Vec<_>>();
    let mut beside = hydrate(&mut *db, tenant, reader, last, &wa_ids, &users).await?;
    let group_ids = rows.iter().filter_map(|row| row.assigned_group).collect::<Vec<_>>();
    let groups = groups_by_id(db, tenant, &group_ids).await?;
    let mut last: HashMap<Uuid, _> = beside.messages.drain(..).map(|message| (message.message_id.0, message)).collect();
    rows.into_iter()
        .map(|row| {
            let known = match beside.people.remove(&row.wa_id) {
                Some(known) => known,
                None => Known::nobody(wa_id(&row.wa_id)?),
            };
            Ok(ChatView {
                new_messages: (row.incoming_total - known.incoming_read).max(0),
                person: known.person,
                last_message: last.remove(&row.last_message_id),
                assigned_user: row.assigned_user.and_then(|id| beside.users.get(&id).cloned()),
                assigned_group: row.assigned_group.and_then(|id| groups.get(&id).cloned()),
                tags: beside.chat_tags.remove(&row.wa_id).unwrap_or_default(),
            })
        })
        .collect()
}

/// A chat's assignment, and whether the actor may read the chat.
pub(crate) async fn assignment(
    db: &mut PgConnection,
    tenant: TenantId,
    actor: &Actor,
    wa_id: &WaId,
) -> Result<Option<(AssignmentView, bool)>, sqlx::Error> {
    let sql = "SELECT assigned_user, assigned_group FROM read_models.chats WHERE tenant_id = $1 AND wa_id = $2";
    let found = sqlx::query(sql).bind(tenant.0).bind(wa_id.as_str()).fetch_optional(db).await?;
    let Some(row) = found else { return Ok(None) };
    let assignment = Assignment {
        user: row.try_get::<Option<i64>, _>("assigned_user")?.map(UserId),
        group: row.try_get::<Option<i64>, _>("assigned_group")?.map(GroupId),
    };
    let view = AssignmentView { wa_id: wa_id.clone(), user: assignment.user, group: assignment.group };
    Ok(Some((view, actor.may_read(assignment))))
}
