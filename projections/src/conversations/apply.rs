//! Folds messages and closings into conversations.

use std::collections::HashMap;

use async_trait::async_trait;
use chatledger_domain::{MessageId, TenantId, chat::ChatEvent};
use sqlx::{PgConnection, Row, postgres::PgRow};

use super::{
    fold::{Session, Touch, sessions},
    holders::{self, Change, Holding},
};
use crate::engine::{Batch, Carried, Projection, ProjectionError, ROWS, Rows, Stage, Table, in_order};

/// The read model `conversations`.
pub(crate) struct Conversations;

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
            let mut known = known(&mut *db, tenant, &wa_ids).await?;
            let (mut rows, mut changes) = (Vec::with_capacity(chats.len()), Vec::with_capacity(chats.len()));
            for (wa_id, touches) in chats {
                let (newest, before) = known.remove(*wa_id).unwrap_or_default();
                let sessions = sessions(newest.clone(), touches);
                changes.push(Change { wa_id, before, after: before.after(touches, newest.as_ref(), &sessions) });
                let changed = sessions.into_iter().filter(|session| Some(session) != newest.as_ref());
                rows.extend(changed.map(|session| (*wa_id, session)));
            }
            holders::write(&mut *db, tenant, &changes).await?;
            upsert(&mut *db, tenant, &rows).await?;
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
            Table::looked_up("conversation_ends", &["conversation_ends_pkey"]),
        ];
        TABLES
    }

    fn definition(&self) -> &'static [&'static str] {
        &[
            include_str!("apply.rs"),
            include_str!("fold.rs"),
            include_str!("holders.rs"),
            include_str!("totals.rs"),
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
            held.push((wa_id, Holding::default().after(touches, None, &sessions)));
            rows.extend(sessions.into_iter().map(|session| (wa_id, session)));
        }
        insert(&mut *db, tenant, &rows).await?;
        holders::begin(db, tenant, &held).await?;
        Ok(())
    }
}

/// The newest conversation of each chat, and who has it.
async fn known(
    db: &mut PgConnection,
    tenant: TenantId,
    wa_ids: &[&str],
) -> Result<HashMap<String, (Option<Session>, Holding)>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT u.wa_id, c.*, h.assigned_user, h.assigned_group, h.conversations, h.closed
         FROM unnest($2::text[]) AS u (wa_id)
         LEFT JOIN LATERAL (
             SELECT opened_by, first_position, opened_at, expires_at, closed_at, closed_by, last_message_at,
                 message_count
             FROM conversations c WHERE c.tenant_id = $1 AND c.wa_id = u.wa_id ORDER BY first_position DESC LIMIT 1
         ) c ON true
         LEFT JOIN LATERAL (
             SELECT * FROM conversation_holders h WHERE h.tenant_id = $1 AND h.wa_id = u.wa_id LIMIT 1) h ON true",
    )
    .bind(tenant.0)
    .bind(wa_ids)
    .fetch_all(db)
    .await?;
    let known = |row: &PgRow| {
        let newest = session(row)?;
        let holding = Holding::of(row, newest.as_ref())?;
        Ok((row.try_get("wa_id")?, (newest, holding)))
    };
    rows.iter().map(known).collect()
}

fn session(row: &PgRow) -> Result<Option<Session>, sqlx::Error> {
    let Some(opened_by) = row.try_get("opened_by")? else { return Ok(None) };
    Ok(Some(Session {
        opened_by: MessageId(opened_by),
        first_position: row.try_get("first_position")?,
        opened_at: row.try_get("opened_at")?,
        expires_at: row.try_get("expires_at")?,
        closed_at: row.try_get("closed_at")?,
        closed_by: row.try_get("closed_by")?,
        last_message_at: row.try_get("last_message_at")?,
        message_count: row.try_get("message_count")?,
    }))
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

/// New rows and changed ones.
async fn upsert(db: &mut PgConnection, tenant: TenantId, rows: &[(&str, Session)]) -> Result<(), sqlx::Error> {
    let column = |of: fn(&Session) -> i64| rows.iter().map(|(_, session)| of(session)).collect::<Vec<_>>();
    let nullable = |of: fn(&Session) -> Option<i64>| rows.iter().map(|(_, session)| of(session)).collect::<Vec<_>>();
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO conversations (tenant_id, conversation_id, wa_id, opened_by, first_position, opened_at,
             expires_at, closed_at, closed_by, last_message_at, message_count)
         SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::uuid[], $5::bigint[], $6::bigint[], $7::bigint[],
             $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[])
         ON CONFLICT (tenant_id, wa_id, first_position) DO UPDATE SET expires_at = excluded.expires_at,
             closed_at = excluded.closed_at, closed_by = excluded.closed_by,
             last_message_at = excluded.last_message_at, message_count = excluded.message_count",
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
    .execute(db)
    .await?;
    Ok(())
}
