//! The rows of conversations: reads the newest of each chat, writes new ones and changed ones.

use std::collections::HashMap;

use chatledger_domain::{MessageId, TenantId};
use sqlx::{PgConnection, Row as _, postgres::PgRow};

use super::{fold::Session, holders::Holding};
use crate::engine::{Rows, Stage};

/// A conversation of a chat, and who has that.
pub(super) struct Row<'a> {
    pub wa_id: &'a str,
    pub holding: Holding,
    pub session: Session,
}

/// The newest conversation of each chat, and who has it.
pub(super) async fn newest(
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
pub(super) async fn insert(db: &mut PgConnection, tenant: TenantId, rows: &[Row<'_>]) -> Result<(), sqlx::Error> {
    let sessions = || rows.iter().map(|row| &row.session);
    Rows::of("conversations")
        .uuids("conversation_id", sessions().map(|session| session.id(tenant).0))
        .texts("wa_id", rows.iter().map(|row| row.wa_id))
        .uuids("opened_by", sessions().map(|session| session.opened_by.0))
        .integers("first_position", sessions().map(|session| session.first_position))
        .integers("opened_at", sessions().map(|session| session.opened_at))
        .integers("expires_at", sessions().map(|session| session.expires_at))
        .integers("closed_at", sessions().map(|session| session.closed_at))
        .integers("closed_by", sessions().map(|session| session.closed_by))
        .integers("last_message_at", sessions().map(|session| session.last_message_at))
        .integers("message_count", sessions().map(|session| session.message_count))
        .integers("assigned_user", rows.iter().map(|row| row.holding.user()))
        .integers("assigned_group", rows.iter().map(|row| row.holding.group()))
        .insert(db, tenant, Stage::Building)
        .await
}

/// New rows and changed ones.
pub(super) async fn upsert(db: &mut PgConnection, tenant: TenantId, rows: &[Row<'_>]) -> Result<(), sqlx::Error> {
    let column = |of: fn(&Session) -> i64| rows.iter().map(|row| of(&row.session)).collect::<Vec<_>>();
    let nullable = |of: fn(&Session) -> Option<i64>| rows.iter().map(|row| of(&row.session)).collect::<Vec<_>>();
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO conversations (tenant_id, conversation_id, wa_id, opened_by, first_position, opened_at,
             expires_at, closed_at, closed_by, last_message_at, message_count, assigned_user, assigned_group)
         SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::uuid[], $5::bigint[], $6::bigint[], $7::bigint[],
             $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[])
         ON CONFLICT (tenant_id, wa_id, first_position) DO UPDATE SET expires_at = excluded.expires_at,
             closed_at = excluded.closed_at, closed_by = excluded.closed_by,
             last_message_at = excluded.last_message_at, message_count = excluded.message_count",
    )
    .bind(tenant.0)
    .bind(rows.iter().map(|row| row.session.id(tenant).0).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.wa_id).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.session.opened_by.0).collect::<Vec<_>>())
    .bind(column(|session| session.first_position))
    .bind(column(|session| session.opened_at))
    .bind(column(|session| session.expires_at))
    .bind(nullable(|session| session.closed_at))
    .bind(nullable(|session| session.closed_by))
    .bind(column(|session| session.last_message_at))
    .bind(column(|session| session.message_count))
    .bind(rows.iter().map(|row| row.holding.user()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.holding.group()).collect::<Vec<_>>())
    .execute(db)
    .await?;
    Ok(())
}
