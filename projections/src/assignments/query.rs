//! Reads the history of assignments, newest first.

use std::{collections::HashMap, sync::Arc};

use chatledger_domain::{Actor, Assignment, GroupId, Position, TenantId, UserId};
use sqlx::{PgConnection, Postgres, QueryBuilder, Row};

use crate::{
    groups::groups_by_id,
    inbox::{counted, in_history, only_readable, reads_all, wa_id},
    users::users_by_id,
    views::{AssignmentEventView, HistoryFilter, Page, PageRequest, UserView},
};

/// The assignment history of readable chats.
pub(crate) async fn events(
    db: &mut PgConnection,
    tenant: TenantId,
    actor: &Actor,
    filter: &HistoryFilter,
    part: PageRequest,
) -> Result<Page<AssignmentEventView>, sqlx::Error> {
    let condition = |sql: &mut QueryBuilder<'_, Postgres>| {
        sql.push(" FROM read_models.assignment_events e");
        if !reads_all(actor) {
            sql.push(" JOIN read_models.chats c ON c.tenant_id = e.tenant_id AND c.wa_id = e.wa_id");
        }
        sql.push(" WHERE e.tenant_id = ").push_bind(tenant.0);
        in_history(sql, filter);
        only_readable(sql, actor);
    };
    let count = if *filter == HistoryFilter::default() && reads_all(actor) {
        counted(&mut *db, tenant, "assignments").await?
    } else {
        let mut sql = QueryBuilder::new("SELECT count(*)");
        condition(&mut sql);
        sql.build_query_scalar().fetch_one(&mut *db).await?
    };
    let mut sql = QueryBuilder::new(
        "SELECT e.timestamp, e.wa_id, e.user_set, e.user_cleared, e.group_set, e.group_cleared, e.done_by",
    );
    condition(&mut sql);
    sql.push(" ORDER BY e.timestamp DESC, e.position DESC LIMIT ").push_bind(part.limit);
    sql.push(" OFFSET ").push_bind(part.offset);
    let rows = sql.build().fetch_all(&mut *db).await?;
    let (mut user_ids, mut group_ids) = (Vec::new(), Vec::new());
    for row in &rows {
        user_ids.extend(row.try_get::<Option<i64>, _>("user_set")?);
        user_ids.extend(row.try_get::<Option<i64>, _>("done_by")?);
        group_ids.extend(row.try_get::<Option<i64>, _>("group_set")?);
    }
    let users = users_by_id(&mut *db, tenant, &user_ids).await?;
    let groups = groups_by_id(db, tenant, &group_ids).await?;
    let rows = rows
        .iter()
        .map(|row| {
            let user = |column| -> Result<Option<Arc<UserView>>, sqlx::Error> {
                Ok(row.try_get::<Option<i64>, _>(column)?.and_then(|id| users.get(&id).cloned()))
            };
            Ok(AssignmentEventView {
                timestamp: row.try_get("timestamp")?,
                wa_id: wa_id(row.try_get("wa_id")?)?,
                user_set: user("user_set")?,
                user_cleared: row.try_get("user_cleared")?,
                group_set: row.try_get::<Option<i64>, _>("group_set")?.and_then(|id| groups.get(&id).cloned()),
                group_cleared: row.try_get("group_cleared")?,
                done_by: user("done_by")?,
            })
        })
        .collect::<Result<_, sqlx::Error>>()?;
    Ok(Page { count, rows })
}

/// Who had some chats right after a position.
pub(crate) async fn assignments_at(
    db: &mut PgConnection,
    tenant: TenantId,
    chats: &[&str],
    position: Position,
) -> Result<HashMap<String, Assignment>, sqlx::Error> {
    // By position, not by time: the clocks of two servers may differ.
    let newest = "FROM read_models.assignment_events e WHERE e.tenant_id = $1 AND e.wa_id = named.wa_id \
                  AND e.position <= $3";
    let order = "ORDER BY e.position DESC LIMIT 1";
    let sql = format!(
        "SELECT named.wa_id, \
             (SELECT e.user_set {newest} AND (e.user_set IS NOT NULL OR e.user_cleared) {order}), \
             (SELECT e.group_set {newest} AND (e.group_set IS NOT NULL OR e.group_cleared) {order}) \
         FROM unnest($2::text[]) AS named (wa_id)"
    );
    let rows: Vec<(String, Option<i64>, Option<i64>)> =
        sqlx::query_as(&sql).bind(tenant.0).bind(chats).bind(position.0).fetch_all(db).await?;
    let held = |(wa_id, user, group): (String, Option<i64>, Option<i64>)| {
        (wa_id, Assignment { user: user.map(UserId), group: group.map(GroupId) })
    };
    Ok(rows.into_iter().map(held).collect())
}
