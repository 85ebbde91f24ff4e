//! Lists assignments as they happened.

use async_trait::async_trait;
use chatledger_domain::chat::ChatEvent;
use sqlx::PgConnection;

use crate::engine::{Batch, Projection, ProjectionError, count_rows};

/// The read model `assignments`.
pub(crate) struct Assignments;

#[derive(Default)]
struct Entries<'a> {
    positions: Vec<i64>,
    timestamps: Vec<i64>,
    wa_ids: Vec<&'a str>,
    users: Vec<Option<i64>>,
    users_cleared: Vec<bool>,
    groups: Vec<Option<i64>>,
    groups_cleared: Vec<bool>,
    done_by: Vec<Option<i64>>,
}

#[async_trait]
impl Projection for Assignments {
    fn name(&self) -> &'static str {
        "assignments"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["assignment_events"]
    }

    async fn apply(&self, db: &mut PgConnection, batch: &Batch<'_>) -> Result<(), ProjectionError> {
        let mut entries = Entries::default();
        for of in batch.of_chats(|event| matches!(event, ChatEvent::ChatAssigned(_)))? {
            let ChatEvent::ChatAssigned(e) = of.event else { continue };
            entries.positions.push(of.position);
            entries.timestamps.push(e.timestamp);
            entries.wa_ids.push(of.wa_id);
            entries.users.push(e.user_set.map(|user| user.0));
            entries.users_cleared.push(e.user_cleared);
            entries.groups.push(e.group_set.map(|group| group.0));
            entries.groups_cleared.push(e.group_cleared);
            entries.done_by.push(e.done_by.map(|user| user.0));
        }
        if entries.positions.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO read_models.assignment_events (tenant_id, position, timestamp, wa_id, user_set, user_cleared,
                 group_set, group_cleared, done_by)
             SELECT $1, position, timestamp, wa_id, user_set, user_cleared, group_set, group_cleared, done_by
             FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::boolean[], $7::bigint[],
                 $8::boolean[], $9::bigint[])
                 AS u (position, timestamp, wa_id, user_set, user_cleared, group_set, group_cleared, done_by)",
        )
        .bind(batch.tenant.0)
        .bind(&entries.positions)
        .bind(&entries.timestamps)
        .bind(&entries.wa_ids)
        .bind(&entries.users)
        .bind(&entries.users_cleared)
        .bind(&entries.groups)
        .bind(&entries.groups_cleared)
        .bind(&entries.done_by)
        .execute(&mut *db)
        .await?;
        let rows = i64::try_from(entries.positions.len()).unwrap_or(i64::MAX);
        count_rows(db, batch.tenant, self.name(), rows).await?;
        Ok(())
    }
}
