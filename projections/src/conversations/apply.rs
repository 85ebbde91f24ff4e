//! Folds messages and closings into conversations.

use std::collections::HashMap;

use async_trait::async_trait;
use chatledger_domain::{MessageId, TenantId, chat::ChatEvent};
use sqlx::{PgConnection, Row};

use super::{
    fold::{Session, Touch, sessions},
    holders::{self, Change, Holding},
};
use crate::engine::{Batch, Carried, Projection, ProjectionError, ROWS, Rows, Stage, Table, count_rows, in_order};

/// The read model `conversations`.
pub(crate) struct Conversations;

/// The counter of those that a user closed.
pub(super) const CLOSED: &str = "conversations:closed";

fn closed<'a>(sessions: impl Iterator<Item = &'a Session>) -> i64 {
    i64::try_from(sessions.filter(|session| session.closed_at.is_some()).count()).unwrap_or(i64::MAX)
}

fn concerns(event: &ChatEvent) -> bool {
    matches!(
        event,
        ChatEvent::MessageReceived(_)
            | ChatEvent::MessageQueued(_)
            | ChatEvent::MessageEchoed(_)
            | ChatEvent::ConversationClosed(_)
            | ChatEvent::ChatAssigned(_)
    )
}

/// What happened, by chat.
#[derive(Default)]
struct Touches {
    chats: HashMap<String, Vec<Touch>>,
    count: usize,
}

impl Touches {
    fn fold(&mut self, batch: &Batch<'_>) -> Result<(), ProjectionError> {
        for of in batch.of_chats(concerns)? {
            let Some(touch) = Touch::of(&of) else { continue };
            self.count += 1;
            match self.chats.get_mut(of.wa_id) {
                Some(touches) => touches.push(touch),
                None => {
                    self.chats.insert(of.wa_id.to_owned(), vec![touch]);
                }
            }
        }
        Ok(())
    }

    /// Merges it into the rows that are there.
    async fn merge(&self, db: &mut PgConnection, tenant: TenantId) -> Result<(), ProjectionError> {
        for chats in in_order(&self.chats).chunks(ROWS) {
            let wa_ids: Vec<&str> = chats.iter().map(|(wa_id, _)| *wa_id).collect();
            let mut known = newest(&mut *db, tenant, &wa_ids).await?;
            let (mut rows, mut moved) = (Vec::with_capacity(chats.len()), Vec::new());
            let before = closed(known.values());
            for (wa_id, touches) in chats {
                let newest = known.remove(*wa_id);
                let there = usize::from(newest.is_some());
                let sessions = sessions(newest, touches);
                let fresh = sessions.len() - there;
                if fresh > 0 || touches.iter().any(|touch| matches!(touch, Touch::Assigned(_))) {
                    moved.push((*wa_id, touches.as_slice(), fresh));
                }
                rows.extend(sessions.into_iter().map(|session| (*wa_id, session)));
            }
            hold(&mut *db, tenant, &moved).await?;
            let fresh = upsert(&mut *db, tenant, &rows).await?;
            count_rows(&mut *db, tenant, Conversations.name(), fresh).await?;
            let after = closed(rows.iter().map(|(_, session)| session));
            count_rows(&mut *db, tenant, CLOSED, after - before).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Projection for Conversations {
    fn name(&self) -> &'static str {
        "conversations"
    }

    fn tables(&self) -> &'static [Table] {
        const TABLES: &[Table] = &[
            Table::looked_up("conversations", &["conversations_of_chat"]),
            Table::looked_up("conversation_holders", &["conversation_holders_pkey"]),
            Table::small("conversation_shares"),
        ];
        TABLES
    }

    fn definition(&self) -> &'static [&'static str] {
        &[
            include_str!("apply.rs"),
            include_str!("fold.rs"),
            include_str!("holders.rs"),
            include_str!("../../../domain/src/chat/assignment.rs"),
            include_str!("../../../domain/src/chat/conversation.rs"),
            include_str!("../../../domain/src/chat/written.rs"),
        ]
    }

    async fn apply(&self, db: &mut PgConnection, batch: &Batch<'_>) -> Result<(), ProjectionError> {
        let mut touches = Touches::default();
        touches.fold(batch)?;
        touches.merge(db, batch.tenant).await
    }

    fn carried(&self) -> Option<Box<dyn Carried>> {
        Some(Box::new(Touches::default()))
    }
}

#[async_trait]
impl Carried for Touches {
    fn take(&mut self, batch: &Batch<'_>) -> Result<(), ProjectionError> {
        self.fold(batch)
    }

    fn weight(&self) -> usize {
        // A key of some fifteen digits and its tree node beside the list, which may have room for as much again.
        self.chats.len() * 120 + self.count * 2 * size_of::<Touch>()
    }

    async fn write(&mut self, db: &mut PgConnection, tenant: TenantId, first: bool) -> Result<(), ProjectionError> {
        let touches = std::mem::take(self);
        if !first {
            return touches.merge(db, tenant).await;
        }
        let (mut rows, mut held) = (Vec::with_capacity(touches.chats.len()), Vec::with_capacity(touches.chats.len()));
        for (wa_id, touches) in in_order(&touches.chats) {
            let sessions = sessions(None, touches);
            held.push((wa_id, Holding::default().after(touches, sessions.len())));
            rows.extend(sessions.into_iter().map(|session| (wa_id, session)));
        }
        insert(&mut *db, tenant, &rows).await?;
        holders::begin(&mut *db, tenant, &held).await?;
        count_rows(&mut *db, tenant, Conversations.name(), i64::try_from(rows.len()).unwrap_or(i64::MAX)).await?;
        count_rows(db, tenant, CLOSED, closed(rows.iter().map(|(_, session)| session))).await?;
        Ok(())
    }
}

/// Moves the totals with chats that got conversations or another holder.
async fn hold(db: &mut PgConnection, tenant: TenantId, moved: &[(&str, &[Touch], usize)]) -> Result<(), sqlx::Error> {
    if moved.is_empty() {
        return Ok(());
    }
    let wa_ids: Vec<&str> = moved.iter().map(|(wa_id, ..)| *wa_id).collect();
    let known = holders::known(&mut *db, tenant, &wa_ids).await?;
    let changes: Vec<Change<'_>> = moved
        .iter()
        .map(|(wa_id, touches, fresh)| {
            let before = known.get(*wa_id).copied().unwrap_or_default();
            Change { wa_id, before, after: before.after(touches, *fresh) }
        })
        .collect();
    holders::write(db, tenant, &changes).await
}

/// The newest conversation of each chat.
async fn newest(
    db: &mut PgConnection,
    tenant: TenantId,
    wa_ids: &[&str],
) -> Result<HashMap<String, Session>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT c.* FROM unnest($2::text[]) AS u (wa_id), LATERAL (
             SELECT wa_id, opened_by, first_position, opened_at, expires_at, closed_at, closed_by, last_message_at,
                 message_count
             FROM conversations c WHERE c.tenant_id = $1 AND c.wa_id = u.wa_id ORDER BY first_position DESC LIMIT 1) c",
    )
    .bind(tenant.0)
    .bind(wa_ids)
    .fetch_all(db)
    .await?;
    let session = |row: &sqlx::postgres::PgRow| {
        let session = Session {
            opened_by: MessageId(row.try_get("opened_by")?),
            first_position: row.try_get("first_position")?,
            opened_at: row.try_get("opened_at")?,
            expires_at: row.try_get("expires_at")?,
            closed_at: row.try_get("closed_at")?,
            closed_by: row.try_get("closed_by")?,
            last_message_at: row.try_get("last_message_at")?,
            message_count: row.try_get("message_count")?,
        };
        Ok((row.try_get("wa_id")?, session))
    };
    rows.iter().map(session).collect()
}

/// New rows alone.
async fn insert(db: &mut PgConnection, tenant: TenantId, rows: &[(&str, Session)]) -> Result<(), sqlx::Error> {
    let sessions = || rows.iter().map(|(_, session)| session);
    Rows::of("conversations")
        .uuids("conversation_id", sessions().map(|session| session.id(tenant).0))
        .texts("wa_id", rows.iter().map(|(wa_id, _)| *wa_id))
        .uuids("opened_by", sessions().map(|session| session.opened_by.0))
        .integers("first_position", sessions().map(|session| session.first_position))
        .integers("opened_at", sessions().map(|session| session.opened_at))
        .integers("expires_at", sessions().map(|session| session.expires_at))
        .integers("closed_at", sessions().map(|session| session.closed_at))
        .integers("closed_by", sessions().map(|session| session.closed_by))
        .integers("last_message_at", sessions().map(|session| session.last_message_at))
        .integers("message_count", sessions().map(|session| session.message_count))
        .insert(db, tenant, Stage::Building)
        .await
}

/// New rows and changed ones: how many are new.
async fn upsert(db: &mut PgConnection, tenant: TenantId, rows: &[(&str, Session)]) -> Result<i64, sqlx::Error> {
    let column = |of: fn(&Session) -> i64| rows.iter().map(|(_, session)| of(session)).collect::<Vec<_>>();
    let nullable = |of: fn(&Session) -> Option<i64>| rows.iter().map(|(_, session)| of(session)).collect::<Vec<_>>();
    sqlx::query_scalar(
        "WITH written AS (
             INSERT INTO conversations AS c (tenant_id, conversation_id, wa_id, opened_by, first_position, opened_at,
                 expires_at, closed_at, closed_by, last_message_at, message_count)
             SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::uuid[], $5::bigint[], $6::bigint[], $7::bigint[],
                 $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[])
             ON CONFLICT (tenant_id, wa_id, first_position) DO UPDATE SET expires_at = excluded.expires_at,
                 closed_at = excluded.closed_at, closed_by = excluded.closed_by,
                 last_message_at = excluded.last_message_at, message_count = excluded.message_count
             RETURNING xmax = 0 AS fresh)
         SELECT count(*) FILTER (WHERE fresh) FROM written",
    )
    .bind(tenant.0)
    .bind(rows.iter().map(|(_, session)| session.id(tenant).0).collect::<Vec<_>>())
    .bind(rows.iter().map(|(wa_id, _)| *wa_id).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, session)| session.opened_by.0).collect::<Vec<_>>())
    .bind(column(|session| session.first_position))
    .bind(column(|session| session.opened_at))
    .bind(column(|session| session.expires_at))
    .bind(nullable(|session| session.closed_at))
    .bind(nullable(|session| session.closed_by))
    .bind(column(|session| session.last_message_at))
    .bind(column(|session| session.message_count))
    .fetch_one(db)
    .await
}
