//! Folds messages and assignments into chats.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use chatledger_domain::{
    MessageId, TenantId,
    chat::{AssignmentChange, ChatEvent, written_at},
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::engine::{
    Batch, Carried, OfChat, Projection, ProjectionError, ROWS, Rows, Stage, Table, count_rows, in_order,
};

/// The read model `chats`.
pub(crate) struct Chats;

/// What the messages of a batch add to a chat.
#[derive(Debug, Default)]
struct Growth {
    first_position: i64,
    written_at: Option<i64>,
    sent_at: Option<i64>,
    /// Timestamp, position and id of the newest.
    last: (i64, i64, Uuid),
    incoming: i64,
    messages: i64,
}

impl Growth {
    fn message(&mut self, id: MessageId, timestamp: i64, position: i64) {
        if self.messages == 0 {
            self.first_position = position;
            self.last = (timestamp, position, id.0);
        }
        self.messages += 1;
        self.last = self.last.max((timestamp, position, id.0));
    }
}

fn concerns(event: &ChatEvent) -> bool {
    matches!(
        event,
        ChatEvent::MessageReceived(_)
            | ChatEvent::MessageQueued(_)
            | ChatEvent::MessageEchoed(_)
            | ChatEvent::ChatAssigned(_)
    )
}

/// What events add to chats.
#[derive(Debug, Default)]
struct Changes {
    grown: HashMap<String, Growth>,
    assigned: HashMap<String, AssignmentChange>,
}

impl Changes {
    fn fold(&mut self, of: OfChat<'_>) {
        match of.event {
            ChatEvent::MessageReceived(e) => {
                let chat = self.grown.entry(of.wa_id.to_owned()).or_default();
                chat.message(e.message_id, e.timestamp, of.position);
                chat.written_at = chat.written_at.max(written_at(e));
                chat.incoming += 1;
            }
            ChatEvent::MessageQueued(e) => {
                let chat = self.grown.entry(of.wa_id.to_owned()).or_default();
                chat.message(e.message_id, e.timestamp, of.position);
                chat.sent_at = chat.sent_at.max(Some(e.timestamp));
            }
            ChatEvent::MessageEchoed(e) => {
                let chat = self.grown.entry(of.wa_id.to_owned()).or_default();
                chat.message(e.message_id, e.timestamp, of.position);
                chat.sent_at = chat.sent_at.max(Some(e.timestamp));
            }
            ChatEvent::ChatAssigned(e) => {
                let chat = self.assigned.entry(of.wa_id.to_owned()).or_default();
                *chat = chat.then(e.change());
            }
            _ => {}
        }
    }

    /// Merges it into the rows that are there.
    async fn merge(&self, db: &mut PgConnection, tenant: TenantId) -> Result<(), ProjectionError> {
        for grown in in_order(&self.grown).chunks(ROWS) {
            let fresh = grow(&mut *db, tenant, grown).await?;
            count_rows(&mut *db, tenant, Chats.name(), fresh).await?;
        }
        for assigned in in_order(&self.assigned).chunks(ROWS) {
            assign(&mut *db, tenant, assigned).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Projection for Chats {
    fn name(&self) -> &'static str {
        "chats"
    }

    fn tables(&self) -> &'static [Table] {
        const TABLES: &[Table] = &[Table::growing("chats"), Table::small("chat_shares")];
        TABLES
    }

    fn definition(&self) -> &'static [&'static str] {
        &[
            include_str!("apply.rs"),
            include_str!("../../../domain/src/chat/assignment.rs"),
            include_str!("../../../domain/src/chat/written.rs"),
        ]
    }

    async fn apply(&self, db: &mut PgConnection, batch: &Batch<'_>) -> Result<(), ProjectionError> {
        let mut changes = Changes::default();
        batch.of_chats(concerns)?.into_iter().for_each(|of| changes.fold(of));
        changes.merge(db, batch.tenant).await
    }

    fn carried(&self) -> Option<Box<dyn Carried>> {
        Some(Box::new(Changes::default()))
    }
}

#[async_trait]
impl Carried for Changes {
    fn take(&mut self, batch: &Batch<'_>) -> Result<(), ProjectionError> {
        batch.of_chats(concerns)?.into_iter().for_each(|of| self.fold(of));
        Ok(())
    }

    fn weight(&self) -> usize {
        // A key of some fifteen digits and its tree node beside the value.
        (self.grown.len() + self.assigned.len()) * (size_of::<Growth>() + 80)
    }

    async fn write(&mut self, db: &mut PgConnection, tenant: TenantId, first: bool) -> Result<(), ProjectionError> {
        let changes = std::mem::take(self);
        if first { begin(db, tenant, &changes).await } else { changes.merge(db, tenant).await }
    }
}

/// The user who is set, or none.
fn user(change: &AssignmentChange) -> Option<i64> {
    change.user.flatten().map(|user| user.0)
}

/// The group that is set, or none.
fn group(change: &AssignmentChange) -> Option<i64> {
    change.group.flatten().map(|group| group.0)
}

/// All chats of a tenant at once, where none is there yet.
async fn begin(db: &mut PgConnection, tenant: TenantId, changes: &Changes) -> Result<(), ProjectionError> {
    let (chats, none) = (in_order(&changes.grown), AssignmentChange::default());
    let grown = || chats.iter().map(|(_, chat)| *chat);
    let assigned = || chats.iter().map(|(wa_id, _)| changes.assigned.get(*wa_id).unwrap_or(&none));
    Rows::of("chats")
        .texts("wa_id", chats.iter().map(|(wa_id, _)| *wa_id))
        .integers("sort_timestamp", grown().map(|chat| chat.written_at.or(chat.sent_at).unwrap_or(chat.last.0)))
        .integers("written_at", grown().map(|chat| chat.written_at))
        .integers("sent_at", grown().map(|chat| chat.sent_at))
        .integers("last_timestamp", grown().map(|chat| chat.last.0))
        .integers("last_position", grown().map(|chat| chat.last.1))
        .uuids("last_message_id", grown().map(|chat| chat.last.2))
        .integers("first_position", grown().map(|chat| chat.first_position))
        .integers("incoming_total", grown().map(|chat| chat.incoming))
        .integers("message_total", grown().map(|chat| chat.messages))
        .integers("assigned_user", assigned().map(user))
        .integers("assigned_group", assigned().map(group))
        .insert(&mut *db, tenant, Stage::Building)
        .await?;
    count_rows(&mut *db, tenant, Chats.name(), i64::try_from(changes.grown.len()).unwrap_or(i64::MAX)).await?;
    let mut shares = BTreeMap::<(i64, i64), (i64, i64)>::new();
    for (chat, of) in grown().zip(assigned()).filter(|(_, of)| user(of).or(group(of)).is_some()) {
        let holders = (user(of).unwrap_or(0), group(of).unwrap_or(0));
        let share = shares.entry(holders).or_default();
        *share = (share.0 + 1, share.1 + chat.messages);
    }
    Rows::of("chat_shares")
        .integers("assigned_user", shares.keys().map(|holders| holders.0))
        .integers("assigned_group", shares.keys().map(|holders| holders.1))
        .integers("chats", shares.values().map(|share| share.0))
        .integers("messages", shares.values().map(|share| share.1))
        .insert(db, tenant, Stage::Building)
        .await?;
    Ok(())
}

/// How many chats are new.
async fn grow(db: &mut PgConnection, tenant: TenantId, grown: &[(&str, &Growth)]) -> Result<i64, sqlx::Error> {
    // Events come in order, so a message of the batch with the same timestamp is the newer one.
    sqlx::query_scalar(
        "WITH written AS (
             INSERT INTO chats AS c (tenant_id, wa_id, sort_timestamp, written_at, sent_at, last_timestamp,
                 last_position, last_message_id, first_position, incoming_total, message_total)
             SELECT $1, wa_id, coalesce(written_at, sent_at, last_timestamp), written_at, sent_at, last_timestamp,
                 last_position, last_message_id, first_position, incoming, messages
             FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::uuid[], $8::bigint[],
                 $9::bigint[], $10::bigint[]) AS u (wa_id, written_at, sent_at, last_timestamp, last_position,
                     last_message_id, first_position, incoming, messages)
             ON CONFLICT (tenant_id, wa_id) DO UPDATE SET
                 sort_timestamp = coalesce(greatest(c.written_at, excluded.written_at),
                     greatest(c.sent_at, excluded.sent_at), greatest(c.last_timestamp, excluded.last_timestamp)),
                 written_at = greatest(c.written_at, excluded.written_at),
                 sent_at = greatest(c.sent_at, excluded.sent_at),
                 last_timestamp = greatest(c.last_timestamp, excluded.last_timestamp),
                 last_position = CASE WHEN excluded.last_timestamp >= c.last_timestamp
                     THEN excluded.last_position ELSE c.last_position END,
                 last_message_id = CASE WHEN excluded.last_timestamp >= c.last_timestamp
                     THEN excluded.last_message_id ELSE c.last_message_id END,
                 incoming_total = c.incoming_total + excluded.incoming_total,
                 message_total = c.message_total + excluded.message_total
             RETURNING c.wa_id, xmax = 0 AS fresh, c.assigned_user, c.assigned_group),
         shared AS (
             UPDATE chat_shares s SET messages = s.messages + d.messages
             FROM (SELECT coalesce(w.assigned_user, 0) AS user_id, coalesce(w.assigned_group, 0) AS group_id,
                       sum(u.messages) AS messages
                   FROM written w JOIN unnest($2::text[], $10::bigint[]) AS u (wa_id, messages) USING (wa_id)
                   WHERE w.assigned_user IS NOT NULL OR w.assigned_group IS NOT NULL GROUP BY 1, 2) d
             WHERE s.tenant_id = $1 AND s.assigned_user = d.user_id AND s.assigned_group = d.group_id)
         SELECT count(*) FILTER (WHERE fresh) FROM written",
    )
    .bind(tenant.0)
    .bind(column(grown, |_, wa_id| wa_id))
    .bind(column(grown, |chat, _| chat.written_at))
    .bind(column(grown, |chat, _| chat.sent_at))
    .bind(column(grown, |chat, _| chat.last.0))
    .bind(column(grown, |chat, _| chat.last.1))
    .bind(column(grown, |chat, _| chat.last.2))
    .bind(column(grown, |chat, _| chat.first_position))
    .bind(column(grown, |chat, _| chat.incoming))
    .bind(column(grown, |chat, _| chat.messages))
    .fetch_one(db)
    .await
}

async fn assign(
    db: &mut PgConnection,
    tenant: TenantId,
    assigned: &[(&str, &AssignmentChange)],
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "WITH u AS (
             SELECT * FROM unnest($2::text[], $3::boolean[], $4::bigint[], $5::boolean[], $6::bigint[])
                 AS u (wa_id, user_changes, user_id, group_changes, group_id)),
         before AS (
             SELECT c.wa_id, c.assigned_user, c.assigned_group, c.message_total
             FROM u, LATERAL (SELECT * FROM chats c WHERE c.tenant_id = $1 AND c.wa_id = u.wa_id) c),
         after AS (
             UPDATE chats c SET
                 assigned_user = CASE WHEN u.user_changes THEN u.user_id ELSE c.assigned_user END,
                 assigned_group = CASE WHEN u.group_changes THEN u.group_id ELSE c.assigned_group END
             FROM u WHERE c.tenant_id = $1 AND c.wa_id = u.wa_id
             RETURNING c.assigned_user, c.assigned_group, c.message_total)
         INSERT INTO chat_shares AS s (tenant_id, assigned_user, assigned_group, chats, messages)
         SELECT $1, coalesce(m.assigned_user, 0), coalesce(m.assigned_group, 0), sum(m.chats), sum(m.messages)
         FROM (SELECT assigned_user, assigned_group, 1 AS chats, message_total AS messages FROM after
               UNION ALL
               SELECT assigned_user, assigned_group, -1, -message_total FROM before) m
         WHERE m.assigned_user IS NOT NULL OR m.assigned_group IS NOT NULL
         GROUP BY 2, 3 HAVING sum(m.chats) <> 0 OR sum(m.messages) <> 0
         ON CONFLICT (tenant_id, assigned_user, assigned_group) DO UPDATE SET
             chats = s.chats + excluded.chats, messages = s.messages + excluded.messages",
    )
    .bind(tenant.0)
    .bind(column(assigned, |_, wa_id| wa_id))
    .bind(column(assigned, |chat, _| chat.user.is_some()))
    .bind(column(assigned, |chat, _| user(chat)))
    .bind(column(assigned, |chat, _| chat.group.is_some()))
    .bind(column(assigned, |chat, _| group(chat)))
    .execute(&mut *db)
    .await?;
    // As if nobody had ever held any: a rebuild would not know of it either.
    let empty = "DELETE FROM chat_shares WHERE tenant_id = $1 AND chats = 0";
    sqlx::query(empty).bind(tenant.0).execute(db).await?;
    Ok(())
}

fn column<'a, V, T>(rows: &[(&'a str, &V)], of: impl Fn(&V, &'a str) -> T) -> Vec<T> {
    rows.iter().map(|(wa_id, row)| of(row, wa_id)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_message_is_by_timestamp_then_position() {
        let mut chat = Growth::default();
        for (timestamp, position) in [(5, 1), (9, 2), (9, 3), (7, 4)] {
            chat.message(MessageId(Uuid::from_u128(position as u128)), timestamp, position);
        }
        assert_eq!((chat.last.0, chat.last.1, chat.first_position, chat.messages), (9, 3, 1, 4));
    }
}
