//! Folds the events of users.

use async_trait::async_trait;
use chatledger_domain::{AnyEvent, Scope, user::UserEvent};
use sqlx::{PgConnection, Postgres, postgres::PgArguments, query::Query};

use crate::{
    engine::{Batch, Projection, ProjectionError, Table},
    text::{clean, lower},
};

/// The read model `users`.
pub(crate) struct Users;

#[async_trait]
impl Projection for Users {
    fn name(&self) -> &'static str {
        "users"
    }

    fn tables(&self) -> &'static [Table] {
        const TABLES: &[Table] = &[Table::small("users")];
        TABLES
    }

    fn definition(&self) -> &'static [&'static str] {
        &[include_str!("apply.rs")]
    }

    // Users change rarely, so one statement per event is not worth avoiding.
    async fn apply(&self, db: &mut PgConnection, batch: &Batch<'_>) -> Result<(), ProjectionError> {
        for recorded in &batch.events {
            let AnyEvent::User(event) = &recorded.event else { continue };
            let change = |sql| sqlx::query(sql).bind(batch.tenant.0).bind(recorded.stream.aggregate_id.as_str());
            if let Some(change) = statement(event, recorded.position.0, change) {
                change.execute(&mut *db).await?;
            }
        }
        Ok(())
    }
}

type Statement<'q> = Query<'q, Postgres, PgArguments>;

fn statement<'q>(
    event: &'q UserEvent,
    position: i64,
    change: impl FnOnce(&'static str) -> Statement<'q>,
) -> Option<Statement<'q>> {
    Some(match event {
        UserEvent::UserCreated(e) => change(
            "INSERT INTO users (tenant_id, aggregate_id, id, username, username_key, first_name,
                 last_name, email, role, groups, activated, deactivated, is_available)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, false, false, true)",
        )
        .bind(position)
        .bind(clean(&e.username))
        .bind(lower(&e.username))
        .bind(clean(&e.first_name))
        .bind(clean(&e.last_name))
        .bind(clean(&e.email))
        .bind(e.role.as_str())
        .bind(e.groups.iter().map(|group| group.0).collect::<Vec<_>>()),
        UserEvent::UserDetailsChanged(e) => change(
            "UPDATE users SET username = $3, username_key = $4, first_name = $5, last_name = $6, email = $7
             WHERE tenant_id = $1 AND aggregate_id = $2",
        )
        .bind(clean(&e.username))
        .bind(lower(&e.username))
        .bind(clean(&e.first_name))
        .bind(clean(&e.last_name))
        .bind(clean(&e.email)),
        UserEvent::UserActivated(_) => {
            change("UPDATE users SET activated = true WHERE tenant_id = $1 AND aggregate_id = $2")
        }
        UserEvent::UserDeactivated(_) => {
            change("UPDATE users SET deactivated = true WHERE tenant_id = $1 AND aggregate_id = $2")
        }
        UserEvent::AvailabilityChanged(e) => {
            change("UPDATE users SET is_available = $3 WHERE tenant_id = $1 AND aggregate_id = $2").bind(e.is_available)
        }
        UserEvent::UserPermissionsChanged(e) => change(
            "UPDATE users SET can_use_tags = $3, can_read_chats = $4, can_write_to_chats = $5
             WHERE tenant_id = $1 AND aggregate_id = $2",
        )
        .bind(e.overrides.can_use_tags)
        .bind(e.overrides.can_read_chats.map(Scope::as_str))
        .bind(e.overrides.can_write_to_chats.map(Scope::as_str)),
        UserEvent::UserGroupsChanged(e) => {
            change("UPDATE users SET role = $3, groups = $4 WHERE tenant_id = $1 AND aggregate_id = $2")
                .bind(e.role.as_str())
                .bind(e.groups.iter().map(|group| group.0).collect::<Vec<_>>())
        }
        UserEvent::PasswordChanged(_) | UserEvent::TokenIssued(_) | UserEvent::RefreshTokenIssued(_) => return None,
    })
}
