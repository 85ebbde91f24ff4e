//! Reads groups.

use std::collections::{BTreeMap, HashMap};

use chatledger_application::ports::Unavailable;
use chatledger_domain::{GroupId, Permissions, Role, TenantId};
use sqlx::{PgConnection, Row, postgres::PgRow};

use super::{role_of, scope_of};
use crate::{
    inbox::{Inbox, counted},
    views::{GroupView, Page, PageRequest},
};

impl Inbox {
    /// A group that is not deleted.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn group(&self, tenant: TenantId, id: GroupId) -> Result<Option<GroupView>, Unavailable> {
        self.ask(tenant, async |db| group(db, tenant, id).await).await
    }
}

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
    let sql = format!(
        "SELECT {COLUMNS} FROM read_models.groups WHERE tenant_id = $1 AND NOT deleted
         ORDER BY id LIMIT $2 OFFSET $3"
    );
    let rows = sqlx::query(&sql).bind(tenant.0).bind(part.limit).bind(part.offset).fetch_all(db).await?;
    Ok(Page { count, rows: rows.iter().map(view).collect::<Result<_, _>>()? })
}

/// Some groups, deleted ones too.
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

async fn group(db: &mut PgConnection, tenant: TenantId, id: GroupId) -> Result<Option<GroupView>, sqlx::Error> {
    let sql = format!("SELECT {COLUMNS} FROM read_models.groups WHERE tenant_id = $1 AND id = $2 AND NOT deleted");
    sqlx::query(&sql).bind(tenant.0).bind(id.0).fetch_optional(db).await?.as_ref().map(view).transpose()
}

/// The built-in group of each role.
pub(crate) async fn built_in(db: &mut PgConnection, tenant: TenantId) -> Result<HashMap<Role, GroupId>, sqlx::Error> {
    let sql = "SELECT id, built_in FROM read_models.groups WHERE tenant_id = $1 AND built_in IS NOT NULL";
    let rows: Vec<(i64, String)> = sqlx::query_as(sql).bind(tenant.0).fetch_all(db).await?;
    Ok(rows.into_iter().filter_map(|(id, role)| Some((role_of(&role)?, GroupId(id)))).collect())
}

/// Groups that are deleted but that users are in or chats are assigned to: a deletion that was cut short.
pub(crate) async fn deleted_in_use(db: &mut PgConnection, tenant: TenantId) -> Result<Vec<GroupId>, sqlx::Error> {
    let sql = "SELECT g.id FROM read_models.groups g WHERE g.tenant_id = $1 AND g.deleted AND coalesce(
             (SELECT true FROM read_models.users u
               WHERE u.tenant_id = $1 AND g.id = ANY(u.groups) AND NOT u.deactivated LIMIT 1),
             (SELECT true FROM read_models.chats c WHERE c.tenant_id = $1 AND c.assigned_group = g.id LIMIT 1))";
    let ids: Vec<i64> = sqlx::query_scalar(sql).bind(tenant.0).fetch_all(db).await?;
    Ok(ids.into_iter().map(GroupId).collect())
}
