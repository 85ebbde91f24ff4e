//! Reads groups.

use std::collections::BTreeMap;

use chatledger_domain::{GroupId, Permissions, TenantId};
use sqlx::{PgConnection, Row, postgres::PgRow};

use super::{role_of, scope_of};
use crate::{
    inbox::counted,
    views::{GroupView, Page, PageRequest},
};

const COLUMNS: &str = "id, name, built_in, can_use_tags, can_read_chats, can_write_to_chats";

fn view(row: &PgRow) -> Result<GroupView, sqlx::Error> {
    Ok(GroupView {
        id: GroupId(row.try_get("id")?),
        name: row.try_get("name")?,
        permissions: Permissions {
            can_use_tags: row.try_get("can_use_tags")?,
            can_read_chats: scope_of(row.try_get("can_read_chats")?),
            can_write_to_chats: scope_of(row.try_get("can_write_to_chats")?),
        },
        built_in: row.try_get::<Option<&str>, _>("built_in")?.and_then(role_of),
    })
}

/// The groups, by id.
pub(crate) async fn groups(
    db: &mut PgConnection,
    tenant: TenantId,
    part: PageRequest,
) -> Result<Page<GroupView>, sqlx::Error> {
    let count = counted(&mut *db, tenant, "groups").await?;
    let sql = format!("SELECT {COLUMNS} FROM read_models.groups WHERE tenant_id = $1 ORDER BY id LIMIT $2 OFFSET $3");
    let rows = sqlx::query(&sql).bind(tenant.0).bind(part.limit).bind(part.offset).fetch_all(db).await?;
    Ok(Page { count, rows: rows.iter().map(view).collect::<Result<_, _>>()? })
}

/// Some groups.
pub(crate) async fn groups_by_id(
    db: &mut PgConnection,
    tenant: TenantId,
    ids: &[i64],
) -> Result<BTreeMap<i64, GroupView>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let sql = format!("SELECT {COLUMNS} FROM read_models.groups WHERE tenant_id = $1 AND id = ANY($2)");
    let rows = sqlx::query(&sql).bind(tenant.0).bind(ids).fetch_all(db).await?;
    rows.iter().map(|row| view(row).map(|group| (group.id.0, group))).collect()
}
