//! Reads users, each with its groups and what it may do in effect.

use std::{collections::BTreeMap, sync::Arc};

use chatledger_domain::{Actor, GroupId, Permissions, Role, TenantId, UserId, permission::Overrides};
use sqlx::{PgConnection, Row, postgres::PgRow};

use crate::{
    groups::{role_of, scope_of},
    views::{GroupView, Page, PageRequest, UserView},
};

/// A user's row joined with each of its groups.
const COLUMNS: &str = "u.id, u.username, u.first_name, u.last_name, u.email, u.role, u.is_available,
    u.activated AND NOT u.deactivated AS is_active, u.can_use_tags, u.can_read_chats, u.can_write_to_chats,
    g.id AS group_id, g.name AS group_name, g.built_in, g.can_use_tags AS group_can_use_tags,
    g.can_read_chats AS group_can_read_chats, g.can_write_to_chats AS group_can_write_to_chats";
const WITH_GROUPS: &str = "LEFT JOIN read_models.groups g ON g.tenant_id = u.tenant_id AND g.id = ANY(u.groups)
    AND NOT g.deleted";

type ById = BTreeMap<i64, Arc<UserView>>;

/// Some users, whatever their state.
pub(crate) async fn users_by_id(db: &mut PgConnection, tenant: TenantId, ids: &[i64]) -> Result<ById, sqlx::Error> {
    if ids.is_empty() {
        return Ok(ById::new());
    }
    let sql = format!(
        "SELECT {COLUMNS} FROM read_models.users u {WITH_GROUPS}
         WHERE u.tenant_id = $1 AND u.id = ANY($2) ORDER BY u.id, g.id"
    );
    let rows = sqlx::query(&sql).bind(tenant.0).bind(ids).fetch_all(db).await?;
    Ok(gather(&rows)?.into_iter().map(|user| (user.id.0, Arc::new(user))).collect())
}

/// One user, whatever its state.
pub(crate) async fn user(
    db: &mut PgConnection,
    tenant: TenantId,
    user: UserId,
) -> Result<Option<Arc<UserView>>, sqlx::Error> {
    Ok(users_by_id(db, tenant, &[user.0]).await?.remove(&user.0))
}

/// The users whose access has not ended, by id.
pub(crate) async fn users(
    db: &mut PgConnection,
    tenant: TenantId,
    part: PageRequest,
) -> Result<Page<UserView>, sqlx::Error> {
    let count = sqlx::query_scalar("SELECT count(*) FROM read_models.users WHERE tenant_id = $1 AND NOT deactivated")
        .bind(tenant.0)
        .fetch_one(&mut *db)
        .await?;
    let sql = format!(
        "SELECT {COLUMNS} FROM (SELECT * FROM read_models.users WHERE tenant_id = $1 AND NOT deactivated
             ORDER BY id LIMIT $2 OFFSET $3) u {WITH_GROUPS} ORDER BY u.id, g.id"
    );
    let rows = sqlx::query(&sql).bind(tenant.0).bind(part.limit).bind(part.offset).fetch_all(db).await?;
    Ok(Page { count, rows: gather(&rows)? })
}

/// The id of the user with this name, in lower case.
pub(crate) async fn user_by_name(
    db: &mut PgConnection,
    tenant: TenantId,
    name: &str,
) -> Result<Option<UserId>, sqlx::Error> {
    let sql = "SELECT id FROM read_models.users WHERE tenant_id = $1 AND username_key = $2 ORDER BY id LIMIT 1";
    Ok(sqlx::query_scalar(sql).bind(tenant.0).bind(name).fetch_optional(db).await?.map(UserId))
}

/// The users in a group whose access has not ended.
pub(crate) async fn users_of_group(
    db: &mut PgConnection,
    tenant: TenantId,
    group: GroupId,
) -> Result<Vec<UserId>, sqlx::Error> {
    let sql = "SELECT id FROM read_models.users WHERE tenant_id = $1 AND $2 = ANY(groups) AND NOT deactivated
         ORDER BY id";
    let ids: Vec<i64> = sqlx::query_scalar(sql).bind(tenant.0).bind(group.0).fetch_all(db).await?;
    Ok(ids.into_iter().map(UserId).collect())
}

/// The active users in a group that take chats now.
pub(crate) async fn members_taking_chats(
    db: &mut PgConnection,
    tenant: TenantId,
    group: GroupId,
) -> Result<Vec<UserId>, sqlx::Error> {
    let sql = "SELECT id FROM read_models.users
         WHERE tenant_id = $1 AND $2 = ANY(groups) AND activated AND NOT deactivated AND is_available ORDER BY id";
    let ids: Vec<i64> = sqlx::query_scalar(sql).bind(tenant.0).bind(group.0).fetch_all(db).await?;
    Ok(ids.into_iter().map(UserId).collect())
}

/// The admins that are active.
pub(crate) async fn active_admins(db: &mut PgConnection, tenant: TenantId) -> Result<Vec<UserId>, sqlx::Error> {
    let sql = "SELECT id FROM read_models.users
         WHERE tenant_id = $1 AND role = 'admin' AND activated AND NOT deactivated ORDER BY id";
    let ids: Vec<i64> = sqlx::query_scalar(sql).bind(tenant.0).fetch_all(db).await?;
    Ok(ids.into_iter().map(UserId).collect())
}

/// Users whose access has ended but that chats are assigned to: a deactivation that was cut short.
pub(crate) async fn ended_with_chats(db: &mut PgConnection, tenant: TenantId) -> Result<Vec<UserId>, sqlx::Error> {
    let sql = "SELECT u.id FROM read_models.users u WHERE u.tenant_id = $1 AND u.deactivated
         AND (SELECT true FROM read_models.chats c WHERE c.tenant_id = $1 AND c.assigned_user = u.id LIMIT 1)";
    let ids: Vec<i64> = sqlx::query_scalar(sql).bind(tenant.0).fetch_all(db).await?;
    Ok(ids.into_iter().map(UserId).collect())
}

/// Every user, the oldest first, and whether it is an active admin.
pub(crate) async fn users_by_age(db: &mut PgConnection, tenant: TenantId) -> Result<Vec<(UserId, bool)>, sqlx::Error> {
    let sql = "SELECT id, role = $2 AND activated AND NOT deactivated FROM read_models.users
               WHERE tenant_id = $1 ORDER BY id";
    let rows: Vec<(i64, bool)> = sqlx::query_as(sql).bind(tenant.0).bind(Role::Admin.as_str()).fetch_all(db).await?;
    Ok(rows.into_iter().map(|(id, is_active_admin)| (UserId(id), is_active_admin)).collect())
}

/// What a user may do.
pub(crate) fn actor(user: &UserView) -> Actor {
    Actor {
        user: user.id,
        role: user.role,
        groups: user.groups.iter().map(|group| group.id).collect(),
        permissions: user.permissions,
    }
}

/// Rows of one user follow each other, one per group.
fn gather(rows: &[PgRow]) -> Result<Vec<UserView>, sqlx::Error> {
    let mut users: Vec<(UserView, Overrides)> = Vec::new();
    for row in rows {
        let id = UserId(row.try_get("id")?);
        if users.last().is_none_or(|(user, _)| user.id != id) {
            users.push(alone(id, row)?);
        }
        if let (Some(group), Some((user, _))) = (group(row)?, users.last_mut()) {
            user.groups.push(group);
        }
    }
    for (user, own) in &mut users {
        user.permissions = Permissions::effective(user.role, *own, user.groups.iter().map(|group| group.permissions));
    }
    Ok(users.into_iter().map(|(user, _)| user).collect())
}

fn alone(id: UserId, row: &PgRow) -> Result<(UserView, Overrides), sqlx::Error> {
    let view = UserView {
        id,
        username: row.try_get("username")?,
        first_name: row.try_get("first_name")?,
        last_name: row.try_get("last_name")?,
        email: row.try_get("email")?,
        role: role_of(row.try_get("role")?).unwrap_or(Role::User),
        is_active: row.try_get("is_active")?,
        is_available: row.try_get("is_available")?,
        groups: Vec::new(),
        permissions: Permissions::default(),
    };
    let own = Overrides {
        can_use_tags: row.try_get("can_use_tags")?,
        can_read_chats: row.try_get::<Option<&str>, _>("can_read_chats")?.map(scope_of),
        can_write_to_chats: row.try_get::<Option<&str>, _>("can_write_to_chats")?.map(scope_of),
    };
    Ok((view, own))
}

fn group(row: &PgRow) -> Result<Option<GroupView>, sqlx::Error> {
    let Some(id) = row.try_get::<Option<i64>, _>("group_id")? else { return Ok(None) };
    Ok(Some(GroupView {
        id: GroupId(id),
        name: row.try_get("group_name")?,
        permissions: Permissions {
            can_use_tags: row.try_get("group_can_use_tags")?,
            can_read_chats: scope_of(row.try_get("group_can_read_chats")?),
            can_write_to_chats: scope_of(row.try_get("group_can_write_to_chats")?),
        },
        built_in: row.try_get::<Option<&str>, _>("built_in")?.and_then(role_of),
    }))
}
