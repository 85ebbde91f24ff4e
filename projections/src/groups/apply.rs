//! Folds the events of groups.

use async_trait::async_trait;
use chatledger_domain::{AnyEvent, Role, Scope, group::GroupEvent};
use sqlx::PgConnection;

use crate::{
    engine::{Batch, Projection, ProjectionError, Table, count_rows},
    text::clean,
};

/// The read model `groups`.
pub(crate) struct Groups;

#[async_trait]
impl Projection for Groups {
    fn name(&self) -> &'static str {
        "groups"
    }

    fn tables(&self) -> &'static [Table] {
        const TABLES: &[Table] = &[Table::small("groups")];
        TABLES
    }

    fn definition(&self) -> &'static [&'static str] {
        &[include_str!("apply.rs")]
    }

    // Groups change a few times a year, so one statement per event is not worth avoiding.
    async fn apply(&self, db: &mut PgConnection, batch: &Batch<'_>) -> Result<(), ProjectionError> {
        for recorded in &batch.events {
            let AnyEvent::Group(event) = &recorded.event else { continue };
            let stream = &recorded.stream.aggregate_id;
            let permissions = match event {
                GroupEvent::GroupRenamed(e) => {
                    sqlx::query("UPDATE groups SET name = $3 WHERE tenant_id = $1 AND aggregate_id = $2")
                        .bind(batch.tenant.0)
                        .bind(stream)
                        .bind(clean(&e.name))
                        .execute(&mut *db)
                        .await?;
                    continue;
                }
                GroupEvent::GroupDeleted(_) => {
                    sqlx::query("UPDATE groups SET deleted = true WHERE tenant_id = $1 AND aggregate_id = $2")
                        .bind(batch.tenant.0)
                        .bind(stream)
                        .execute(&mut *db)
                        .await?;
                    count_rows(&mut *db, batch.tenant, self.name(), -1).await?;
                    continue;
                }
                GroupEvent::GroupCreated(e) => {
                    sqlx::query(
                        "INSERT INTO groups (tenant_id, id, aggregate_id, name, built_in, can_use_tags,
                             can_read_chats, can_write_to_chats)
                         VALUES ($1, $2, $3, $4, $5, false, 'none', 'none')",
                    )
                    .bind(batch.tenant.0)
                    .bind(recorded.position.0)
                    .bind(stream)
                    .bind(clean(&e.name))
                    .bind(e.built_in.map(Role::as_str))
                    .execute(&mut *db)
                    .await?;
                    count_rows(&mut *db, batch.tenant, self.name(), 1).await?;
                    e.permissions
                }
                GroupEvent::GroupPermissionsChanged(e) => e.permissions,
                // Whose turn is next, only decisions need.
                GroupEvent::GroupMemberPicked(_) => continue,
            };
            sqlx::query(
                "UPDATE groups SET can_use_tags = $3, can_read_chats = $4, can_write_to_chats = $5
                 WHERE tenant_id = $1 AND aggregate_id = $2",
            )
            .bind(batch.tenant.0)
            .bind(stream)
            .bind(permissions.can_use_tags)
            .bind(permissions.can_read_chats.as_str())
            .bind(permissions.can_write_to_chats.as_str())
            .execute(&mut *db)
            .await?;
        }
        Ok(())
    }
}

/// The scope of a stored name; what is unknown allows nothing.
pub(crate) fn scope_of(name: &str) -> Scope {
    [Scope::All, Scope::Group, Scope::User].into_iter().find(|scope| scope.as_str() == name).unwrap_or_default()
}

/// The role of a stored name.
pub(crate) fn role_of(name: &str) -> Option<Role> {
    Role::ALL.into_iter().find(|role| role.as_str() == name)
}
