//! The events that a contact's erasure concerns, and how their payloads are blanked.

use std::collections::HashSet;

use chatledger_application::ports::ledger::{LedgerError, Recorded};
use chatledger_domain::{MediaId, TenantId, WaId};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection, Row, postgres::PgRow};

use crate::postgres::{
    group::Head,
    hash::Hash,
    row::{COLUMNS, decode_rows, unavailable},
};

/// A recorded event with the version in which it is stored.
pub(super) struct Stored {
    pub(super) recorded: Recorded,
    pub(super) version: String,
}

/// Makes the transaction one that may blank payloads, and the only one for this contact.
pub(super) async fn begin(db: &mut PgConnection, tenant: TenantId, wa_id: &WaId) -> sqlx::Result<()> {
    sqlx::query(
        "SELECT set_config('chatledger.erasure', 'on', true), set_config('statement_timeout', '0', true), \
         set_config('idle_in_transaction_session_timeout', '0', true), \
         pg_advisory_xact_lock(hashtextextended($1 || '/' || $2, 0))",
    )
    .bind(tenant.to_string())
    .bind(wa_id.as_str())
    .execute(db)
    .await?;
    Ok(())
}

/// The newest position and hash; `None` for a ledger that is not there.
pub(super) async fn head(db: &mut PgConnection, tenant: TenantId, lock: &str) -> sqlx::Result<Option<Head>> {
    let sql = format!("SELECT head_position, head_hash FROM ledger.heads WHERE tenant_id = $1 {lock}");
    let row = sqlx::query(&sql).bind(tenant.0).fetch_optional(db).await?;
    let head = row.map(|row| {
        let hash: Vec<u8> = row.try_get(1)?;
        let hash: Hash = hash.try_into().map_err(|_| sqlx::Error::Protocol("a head hash that is no sha256".into()))?;
        Ok(Head { position: row.try_get(0)?, hash })
    });
    head.transpose()
}

fn stored(tenant: TenantId, rows: sqlx::Result<Vec<PgRow>>) -> Result<Vec<Stored>, LedgerError> {
    let rows = rows.map_err(unavailable)?;
    let events = decode_rows(tenant, &rows)?;
    let versions = rows.iter().map(|row| row.try_get("event_version"));
    let versions = versions.collect::<sqlx::Result<Vec<String>>>().map_err(unavailable)?;
    Ok(events.into_iter().zip(versions).map(|(recorded, version)| Stored { recorded, version }).collect())
}

/// A page of a stream, after a sequence and up to a position.
pub(super) async fn of_stream(
    db: &mut PgConnection,
    tenant: TenantId,
    (aggregate, id): (&str, &str),
    after: i64,
    upto: i64,
    limit: i64,
) -> Result<Vec<Stored>, LedgerError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM ledger.events e WHERE e.tenant_id = $1 AND e.aggregate_type = $2 \
         AND e.aggregate_id = $3 AND e.sequence > $4 AND e.position <= $5 ORDER BY e.sequence LIMIT $6"
    );
    let bound = sqlx::query(&sql).bind(tenant.0).bind(aggregate).bind(id).bind(after).bind(upto).bind(limit);
    stored(tenant, bound.fetch_all(db).await)
}

/// All events of some files.
pub(super) async fn of_files(
    db: &mut PgConnection,
    tenant: TenantId,
    files: &[MediaId],
) -> Result<Vec<Stored>, LedgerError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM unnest($2::text[]) f (id) JOIN ledger.events e ON e.tenant_id = $1 \
         AND e.aggregate_type = 'Media' AND e.aggregate_id = f.id ORDER BY e.aggregate_id, e.sequence"
    );
    let ids: Vec<String> = files.iter().map(ToString::to_string).collect();
    stored(tenant, sqlx::query(&sql).bind(tenant.0).bind(ids).fetch_all(db).await)
}

/// A page of the whole ledger.
pub(super) async fn between(
    db: &mut PgConnection,
    tenant: TenantId,
    after: i64,
    upto: i64,
    limit: i64,
) -> Result<Vec<Stored>, LedgerError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM ledger.events e WHERE e.tenant_id = $1 AND e.position > $2 AND e.position <= $3 \
         ORDER BY e.position LIMIT $4"
    );
    stored(tenant, sqlx::query(&sql).bind(tenant.0).bind(after).bind(upto).bind(limit).fetch_all(db).await)
}

/// What a JSON text holds where it names the contact.
fn like(wa_id: &WaId) -> String {
    // Digits, letters and dots: nothing that a pattern means.
    format!("%{wa_id}%")
}

/// The bulk messages that have the contact among their recipients.
pub(super) async fn bulk_messages(
    db: &mut PgConnection,
    tenant: TenantId,
    wa_id: &WaId,
    upto: i64,
) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "SELECT e.aggregate_id FROM ledger.events e WHERE e.tenant_id = $1 AND e.aggregate_type = 'BulkMessage' \
         AND e.event_type = 'BulkMessageCreated' AND e.position <= $3 AND e.payload::text LIKE $2",
    )
    .bind(tenant.0)
    .bind(format!("%\"{wa_id}\"%"))
    .bind(upto)
    .fetch_all(db)
    .await
}

/// Notices about the account that name the contact.
pub(super) async fn notices(
    db: &mut PgConnection,
    tenant: TenantId,
    wa_id: &WaId,
    upto: i64,
) -> Result<Vec<Stored>, LedgerError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM ledger.events e WHERE e.tenant_id = $1 AND e.aggregate_type = 'WhatsAppAccount' \
         AND e.event_type = 'AccountNoticeReceived' AND e.position <= $3 AND e.payload::text LIKE $2 \
         ORDER BY e.position"
    );
    stored(tenant, sqlx::query(&sql).bind(tenant.0).bind(like(wa_id)).bind(upto).fetch_all(db).await)
}

/// Of these uploads, those that messages to others name. Reads all that was sent, so only where there are any. Bulk
/// messages to the contact alone are blanked by now.
pub(super) async fn sent_to_others(
    db: &mut PgConnection,
    tenant: TenantId,
    wa_id: &WaId,
    uploads: &[MediaId],
    upto: i64,
) -> sqlx::Result<HashSet<MediaId>> {
    if uploads.is_empty() {
        return Ok(HashSet::new());
    }
    #[derive(FromRow)]
    struct Found(String);
    let found: Vec<Found> = sqlx::query_as(
        "SELECT u.id FROM unnest($3::text[]) u (id) WHERE EXISTS (\
             SELECT FROM ledger.events e WHERE e.tenant_id = $1 AND e.aggregate_type IN ('Chat', 'BulkMessage') \
                 AND e.aggregate_id <> $2 AND e.event_type IN ('MessageQueued', 'BulkMessageCreated') \
                 AND e.position <= $4 AND e.payload::text LIKE '%' || u.id || '%')",
    )
    .bind(tenant.0)
    .bind(wa_id.as_str())
    .bind(uploads.iter().map(ToString::to_string).collect::<Vec<_>>())
    .bind(upto)
    .fetch_all(db)
    .await?;
    Ok(found.into_iter().filter_map(|Found(id)| id.parse().ok()).collect())
}

/// Blanks payloads.
pub(super) async fn blank(
    db: &mut PgConnection,
    tenant: TenantId,
    now: DateTime<Utc>,
    payloads: &[(i64, String)],
) -> sqlx::Result<()> {
    if payloads.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "UPDATE ledger.events e SET payload = n.payload::json, erased_at = $2 \
         FROM unnest($3::bigint[], $4::text[]) n (position, payload) \
         WHERE e.tenant_id = $1 AND e.position = n.position",
    )
    .bind(tenant.0)
    .bind(now)
    .bind(payloads.iter().map(|(position, _)| *position).collect::<Vec<_>>())
    .bind(payloads.iter().map(|(_, payload)| payload.as_str()).collect::<Vec<_>>())
    .execute(db)
    .await?;
    Ok(())
}
