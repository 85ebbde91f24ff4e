//! Folds marks that moved up, and incoming messages that came late, below a mark.
//!
//! A mark's count at position P is the number of incoming messages of its chat with position ≤ P and timestamp ≤ mark.
//! Marks only grow, so a moved mark adds what lies between the old one and the new one: over a chat's life each
//! message is counted once per user, however long the chat.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use chatledger_domain::{Position, TenantId, UserId, chat::ChatEvent};
use sqlx::{PgConnection, Row};

use crate::engine::{Batch, Carried, OfChat, Projection, ProjectionError, ROWS, Rows, Stage, Table, in_order};

/// The read model `received_marks`.
pub(crate) struct ReceivedMarks;

#[async_trait]
impl Projection for ReceivedMarks {
    fn name(&self) -> &'static str {
        "received_marks"
    }

    fn tables(&self) -> &'static [Table] {
        const TABLES: &[Table] = &[Table::growing("received_marks")];
        TABLES
    }

    fn definition(&self) -> &'static [&'static str] {
        &[include_str!("apply.rs")]
    }

    async fn apply(&self, db: &mut PgConnection, batch: &Batch<'_>) -> Result<(), ProjectionError> {
        let events = batch.of_chats(|event| {
            matches!(
                event,
                ChatEvent::MessageReceived(_)
                    | ChatEvent::MessagesMarkedAsReceived(_)
                    | ChatEvent::MessagesDelivered(_)
            )
        })?;
        if events.is_empty() {
            return Ok(());
        }
        let mut marks = load(&mut *db, batch.tenant, &events).await?;
        raise(&mut marks, &events);
        let changed: Vec<(&Key<'_>, &Mark)> = marks.iter().filter(|(_, mark)| mark.changed()).collect();
        write(db, batch, &changed).await?;
        Ok(())
    }

    fn carried(&self) -> Option<Box<dyn Carried>> {
        Some(Box::new(Marks::default()))
    }

    async fn complete(&self, db: &mut PgConnection, tenant: TenantId, end: Position) -> Result<(), ProjectionError> {
        recount(db, tenant, None, end).await?;
        Ok(())
    }

    async fn freed(&self, db: &mut PgConnection, tenant: TenantId, wa_id: &str) -> Result<(), ProjectionError> {
        recount_chat(db, tenant, wa_id).await?;
        Ok(())
    }
}

/// Counts anew what a chat's marks cover, after events of it came late. Where they are to come to the marks themselves,
/// that will do it.
pub(crate) async fn recount_chat(db: &mut PgConnection, tenant: TenantId, wa_id: &str) -> Result<(), sqlx::Error> {
    let end: Option<i64> = sqlx::query_scalar(
        "SELECT position FROM read_models.cursors c WHERE tenant_id = $1 AND projection = 'received_marks'
             AND NOT EXISTS (SELECT FROM read_models.parked p WHERE p.tenant_id = $1 AND p.projection = c.projection
                 AND p.aggregate_type = 'Chat' AND p.aggregate_id = $2) FOR UPDATE",
    )
    .bind(tenant.0)
    .bind(wa_id)
    .fetch_optional(&mut *db)
    .await?;
    match end {
        Some(end) => recount(db, tenant, Some(wa_id), Position(end)).await,
        None => Ok(()),
    }
}

/// Counts anew what marks cover, of all chats or one: incoming messages up to and including a position.
async fn recount(
    db: &mut PgConnection,
    tenant: TenantId,
    wa_id: Option<&str>,
    end: Position,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE received_marks r SET incoming_read = (
             SELECT count(*) FROM messages m WHERE m.tenant_id = $1 AND m.wa_id = r.wa_id AND m.timestamp <= r.mark
                 AND m.position <= $3 AND NOT m.from_us)
         WHERE r.tenant_id = $1 AND ($2::text IS NULL OR r.wa_id = $2)",
    )
    .bind(tenant.0)
    .bind(wa_id)
    .bind(end.0)
    .execute(db)
    .await?;
    Ok(())
}

/// How far marks were moved, while a generation is built: what they cover is counted when all messages are there.
#[derive(Default)]
struct Marks(HashMap<String, BTreeMap<i64, i64>>);

#[async_trait]
impl Carried for Marks {
    fn take(&mut self, batch: &Batch<'_>) -> Result<(), ProjectionError> {
        for of in batch.of_chats(|event| {
            matches!(event, ChatEvent::MessagesMarkedAsReceived(_) | ChatEvent::MessagesDelivered(_))
        })? {
            let mut raise = |user: UserId, timestamp: i64| {
                let mark = self.0.entry(of.wa_id.to_owned()).or_default().entry(user.0).or_insert(timestamp);
                *mark = timestamp.max(*mark);
            };
            match of.event {
                ChatEvent::MessagesMarkedAsReceived(e) => raise(e.user, e.timestamp),
                ChatEvent::MessagesDelivered(e) => e.to.iter().for_each(|user| raise(*user, e.timestamp)),
                _ => {}
            }
        }
        Ok(())
    }

    fn weight(&self) -> usize {
        self.0.values().map(|users| 250 + users.len() * 32).sum()
    }

    async fn write(&mut self, db: &mut PgConnection, tenant: TenantId, first: bool) -> Result<(), ProjectionError> {
        let marks = std::mem::take(&mut self.0);
        let rows: Vec<(&str, i64, i64)> = in_order(&marks)
            .into_iter()
            .flat_map(|(wa_id, users)| users.iter().map(move |(user, mark)| (wa_id, *user, *mark)))
            .collect();
        if first {
            Rows::of("received_marks")
                .texts("wa_id", rows.iter().map(|row| row.0))
                .integers("user_id", rows.iter().map(|row| row.1))
                .integers("mark", rows.iter().map(|row| row.2))
                .integers("incoming_read", rows.iter().map(|_| 0))
                .insert(db, tenant, Stage::Building)
                .await?;
            return Ok(());
        }
        for rows in rows.chunks(ROWS) {
            sqlx::query(
                "INSERT INTO received_marks AS r (tenant_id, wa_id, user_id, mark, incoming_read)
                 SELECT $1, wa_id, user_id, mark, 0
                 FROM unnest($2::text[], $3::bigint[], $4::bigint[]) AS u (wa_id, user_id, mark)
                 ON CONFLICT (tenant_id, wa_id, user_id) DO UPDATE SET mark = greatest(r.mark, excluded.mark)",
            )
            .bind(tenant.0)
            .bind(rows.iter().map(|row| row.0).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| row.1).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| row.2).collect::<Vec<_>>())
            .execute(&mut *db)
            .await?;
        }
        Ok(())
    }
}

/// Chat and user.
type Key<'a> = (&'a str, i64);

#[derive(Debug, Default)]
struct Mark {
    /// The mark before the batch; `None` where there was none.
    before: Option<i64>,
    after: Option<i64>,
    /// Incoming messages of the batch at or below the mark as it was before.
    late: i64,
}

impl Mark {
    fn changed(&self) -> bool {
        self.after != self.before || self.late != 0
    }
}

async fn load<'a>(
    db: &mut PgConnection,
    tenant: TenantId,
    events: &[OfChat<'a>],
) -> Result<BTreeMap<Key<'a>, Mark>, sqlx::Error> {
    let chats: BTreeMap<&str, &'a str> = events.iter().map(|of| (of.wa_id, of.wa_id)).collect();
    let rows = sqlx::query("SELECT wa_id, user_id, mark FROM received_marks WHERE tenant_id = $1 AND wa_id = ANY($2)")
        .bind(tenant.0)
        .bind(chats.keys().copied().collect::<Vec<&str>>())
        .fetch_all(db)
        .await?;
    let mut marks = BTreeMap::new();
    for row in rows {
        if let Some(wa_id) = chats.get(row.try_get::<&str, _>("wa_id")?) {
            let mark = Some(row.try_get("mark")?);
            marks.insert((*wa_id, row.try_get("user_id")?), Mark { before: mark, after: mark, late: 0 });
        }
    }
    Ok(marks)
}

fn raise<'a>(marks: &mut BTreeMap<Key<'a>, Mark>, events: &[OfChat<'a>]) {
    for of in events {
        match of.event {
            ChatEvent::MessagesMarkedAsReceived(e) => {
                let mark = marks.entry((of.wa_id, e.user.0)).or_default();
                mark.after = mark.after.max(Some(e.timestamp));
            }
            ChatEvent::MessagesDelivered(e) => {
                for user in &e.to {
                    let mark = marks.entry((of.wa_id, user.0)).or_default();
                    mark.after = mark.after.max(Some(e.timestamp));
                }
            }
            ChatEvent::MessageReceived(e) => {
                for (_, mark) in marks.range_mut((of.wa_id, i64::MIN)..=(of.wa_id, i64::MAX)) {
                    mark.late += i64::from(mark.before.is_some_and(|before| e.timestamp <= before));
                }
            }
            _ => {}
        }
    }
}

async fn write(db: &mut PgConnection, batch: &Batch<'_>, changed: &[(&Key<'_>, &Mark)]) -> Result<(), sqlx::Error> {
    for some in changed.chunks(ROWS) {
        write_some(db, batch, some).await?;
    }
    Ok(())
}

async fn write_some(
    db: &mut PgConnection,
    batch: &Batch<'_>,
    changed: &[(&Key<'_>, &Mark)],
) -> Result<(), sqlx::Error> {
    let before = changed.iter().map(|(_, mark)| mark.before.unwrap_or(i64::MIN)).collect::<Vec<_>>();
    let after = changed.iter().map(|(_, mark)| mark.after.unwrap_or(i64::MIN)).collect::<Vec<_>>();
    // Only messages up to the batch's end: the other read model may be ahead. Counted once for all users whose marks
    // move alike, as those of programs that are told of everything do.
    sqlx::query(
        "WITH u AS (
             SELECT * FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
                 AS u (wa_id, user_id, before, after, late)
         ), spans AS (
             SELECT s.*, (
                 SELECT count(*) FROM messages m
                 WHERE m.tenant_id = $1 AND m.wa_id = s.wa_id AND m.timestamp > s.before AND m.timestamp <= s.after
                     AND m.position <= $7 AND NOT m.from_us) AS covered
             FROM (SELECT DISTINCT wa_id, before, after FROM u WHERE after > before) s
         )
         INSERT INTO received_marks AS r (tenant_id, wa_id, user_id, mark, incoming_read)
         SELECT $1, u.wa_id, u.user_id, u.after, u.late + coalesce(spans.covered, 0)
         FROM u LEFT JOIN spans USING (wa_id, before, after)
         ON CONFLICT (tenant_id, wa_id, user_id) DO UPDATE SET
             mark = excluded.mark, incoming_read = r.incoming_read + excluded.incoming_read",
    )
    .bind(batch.tenant.0)
    .bind(changed.iter().map(|(key, _)| key.0).collect::<Vec<&str>>())
    .bind(changed.iter().map(|(key, _)| key.1).collect::<Vec<_>>())
    .bind(before)
    .bind(after)
    .bind(changed.iter().map(|(_, mark)| mark.late).collect::<Vec<_>>())
    .bind(batch.end())
    .execute(db)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use chatledger_domain::chat::MessagesMarkedAsReceived;

    #[test]
    fn r_rcv_2_marks_only_grow() {
        let events = [7, 5].map(|timestamp| {
            ChatEvent::MessagesMarkedAsReceived(MessagesMarkedAsReceived { user: UserId(1), timestamp })
        });
        let of = events.iter().map(|event| OfChat { wa_id: "1", position: 1, event }).collect::<Vec<_>>();
        let mut marks = BTreeMap::from([(("1", 1), Mark { before: Some(6), after: Some(6), late: 0 })]);
        raise(&mut marks, &of);
        assert_eq!(marks[&("1", 1)].after, Some(7));
    }
}
