//! Lists assignments as they happened.

use async_trait::async_trait;
use chatledger_domain::chat::ChatEvent;
use sqlx::PgConnection;

use crate::engine::{Batch, Projection, ProjectionError, Rows, Table, count_rows};

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

    fn tables(&self) -> &'static [Table] {
        const TABLES: &[Table] = &[Table::growing("assignment_events")];
        TABLES
    }

    fn definition(&self) -> &'static [&'static str] {
        &[include_str!("apply.rs")]
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
        Rows::of("assignment_events")
            .integers("position", entries.positions.iter().copied())
            .integers("timestamp", entries.timestamps)
            .texts("wa_id", entries.wa_ids)
            .integers("user_set", entries.users)
            .booleans("user_cleared", entries.users_cleared)
            .integers("group_set", entries.groups)
            .booleans("group_cleared", entries.groups_cleared)
            .integers("done_by", entries.done_by)
            .insert(&mut *db, batch.tenant, batch.stage)
            .await?;
        let rows = i64::try_from(entries.positions.len()).unwrap_or(i64::MAX);
        count_rows(db, batch.tenant, self.name(), rows).await?;
        Ok(())
    }
}
