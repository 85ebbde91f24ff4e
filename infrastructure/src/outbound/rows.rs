//! The statements of the sender. All times are the database's, so that servers agree.

use std::time::Duration;

use chatledger_domain::{MediaId, MessageId, RawJson, TenantId, WaId, media::IncomingFile};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection, PgPool, postgres::types::PgInterval};
use uuid::Uuid;

use super::enqueue::Changes;

/// A file to be fetched.
pub(super) struct NewFetch {
    pub(super) media_id: MediaId,
    pub(super) position: i64,
    pub(super) wa_id: String,
    pub(super) file: IncomingFile,
    pub(super) queued_at: DateTime<Utc>,
}

/// A message to be queued.
pub(super) struct NewSend {
    pub(super) position: i64,
    pub(super) wa_id: String,
    pub(super) message_id: MessageId,
    pub(super) context: Option<String>,
    pub(super) letter: RawJson,
    pub(super) queued_at: DateTime<Utc>,
}

/// A claimed row.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Send {
    tenant_id: Uuid,
    pub(super) position: i64,
    wa_id: String,
    message_id: Uuid,
    pub(super) context: Option<String>,
    letter: String,
    pub(super) attempts: i32,
    pub(super) fence: i64,
    pub(super) queued_at: DateTime<Utc>,
}

impl Send {
    pub(super) fn tenant(&self) -> TenantId {
        TenantId(self.tenant_id)
    }

    pub(super) fn message(&self) -> MessageId {
        MessageId(self.message_id)
    }

    /// Whether what it said was forgotten while it was being sent.
    pub(super) fn is_forgotten(&self) -> bool {
        self.letter == "null"
    }

    /// The chat, and the message as it was queued. `None` only when somebody has altered the row.
    pub(super) fn content(&self) -> Option<(WaId, RawJson)> {
        Some((WaId::parse(&self.wa_id).ok()?, RawJson::parse(self.letter.clone()).ok()?))
    }
}

const COLUMNS: &str = "s.tenant_id, s.position, s.wa_id, s.message_id, s.context, s.letter::text AS letter, \
                       s.attempts, s.fence, s.queued_at";

/// How far the sender has read a tenant's ledger; starts at 0.
pub(super) async fn cursor(pool: &PgPool, tenant: TenantId) -> sqlx::Result<i64> {
    let read = "SELECT position FROM outbound.cursors WHERE tenant_id = $1 AND reactor = 'whatsapp'";
    if let Some(position) = sqlx::query_scalar(read).bind(tenant.0).fetch_optional(pool).await? {
        return Ok(position);
    }
    sqlx::query("INSERT INTO outbound.cursors VALUES ($1, 'whatsapp', 0) ON CONFLICT DO NOTHING")
        .bind(tenant.0)
        .execute(pool)
        .await?;
    sqlx::query_scalar(read).bind(tenant.0).fetch_one(pool).await
}

/// Moves the cursor, and with it makes the rows of new messages and files, and drops those whose unknown outcome is
/// known now. `false`, and nothing done, when the cursor is not where it was: another server was faster.
pub(super) async fn advance(
    pool: &PgPool,
    tenant: TenantId,
    (from, to): (i64, i64),
    Changes { queued, settled, files, erased, erased_files }: &Changes,
) -> sqlx::Result<bool> {
    let moved: i64 = sqlx::query_scalar(
        "WITH moved AS (\
             UPDATE outbound.cursors SET position = $3 \
             WHERE tenant_id = $1 AND reactor = 'whatsapp' AND position = $2 RETURNING 1\
         ), settled AS (\
             DELETE FROM outbound.sends \
             WHERE tenant_id = $1 AND message_id = ANY($4) AND state = 'unknown' AND EXISTS (SELECT FROM moved)\
         ), queued AS (\
             INSERT INTO outbound.sends (tenant_id, position, wa_id, message_id, context, letter, queued_at) \
             SELECT $1, n.position, n.wa_id, n.message_id, n.context, n.letter::json, n.queued_at \
             FROM unnest($5::bigint[], $6::text[], $7::uuid[], $8::text[], $9::text[], $10::timestamptz[]) \
                 AS n (position, wa_id, message_id, context, letter, queued_at) \
             WHERE EXISTS (SELECT FROM moved)\
         ), erased AS (\
             DELETE FROM outbound.sends s USING unnest($20::text[], $21::bigint[]) AS n (wa_id, position) \
             WHERE s.tenant_id = $1 AND s.wa_id = n.wa_id AND s.position < n.position \
                 AND s.state IN ('queued', 'uploading') AND EXISTS (SELECT FROM moved)\
         ), erased_files AS (\
             DELETE FROM outbound.fetches \
             WHERE tenant_id = $1 AND media_id = ANY($22) AND EXISTS (SELECT FROM moved)\
         ), files AS (\
             INSERT INTO outbound.fetches \
                 (tenant_id, media_id, position, wa_id, message_id, waba_id, mime_type, sha256, filename, queued_at) \
             SELECT $1, n.* FROM unnest($11::uuid[], $12::bigint[], $13::text[], $14::uuid[], $15::text[], \
                                        $16::text[], $17::text[], $18::text[], $19::timestamptz[]) AS n \
             WHERE EXISTS (SELECT FROM moved) ON CONFLICT DO NOTHING\
         ) SELECT count(*) FROM moved",
    )
    .bind(tenant.0)
    .bind(from)
    .bind(to)
    .bind(settled.iter().map(|id| id.0).collect::<Vec<_>>())
    .bind(queued.iter().map(|send| send.position).collect::<Vec<_>>())
    .bind(queued.iter().map(|send| send.wa_id.as_str()).collect::<Vec<_>>())
    .bind(queued.iter().map(|send| send.message_id.0).collect::<Vec<_>>())
    .bind(queued.iter().map(|send| send.context.as_deref()).collect::<Vec<_>>())
    .bind(queued.iter().map(|send| send.letter.text()).collect::<Vec<_>>())
    .bind(queued.iter().map(|send| send.queued_at).collect::<Vec<_>>())
    .bind(files.iter().map(|fetch| fetch.media_id.0).collect::<Vec<_>>())
    .bind(files.iter().map(|fetch| fetch.position).collect::<Vec<_>>())
    .bind(files.iter().map(|fetch| fetch.wa_id.as_str()).collect::<Vec<_>>())
    .bind(files.iter().map(|fetch| fetch.file.message_id.0).collect::<Vec<_>>())
    .bind(files.iter().map(|fetch| fetch.file.waba_id.as_str()).collect::<Vec<_>>())
    .bind(texts(files, |file| file.mime_type.as_deref()))
    .bind(texts(files, |file| file.sha256.as_deref()))
    .bind(texts(files, |file| file.filename.as_deref()))
    .bind(files.iter().map(|fetch| fetch.queued_at).collect::<Vec<_>>())
    .bind(erased.iter().map(|(wa_id, _)| wa_id.as_str()).collect::<Vec<_>>())
    .bind(erased.iter().map(|(_, position)| *position).collect::<Vec<_>>())
    .bind(erased_files.iter().map(|media| media.0).collect::<Vec<_>>())
    .fetch_one(pool)
    .await?;
    Ok(moved == 1)
}

/// Messages to a contact that is forgotten are not sent any more, unless WhatsApp may have them; of those the content is
/// forgotten and the ids are given back. Holds the follower of the ledger back until the transaction ends, so that what
/// it has not made rows of yet is seen to be erased when it is claimed.
pub(crate) async fn forget(db: &mut PgConnection, tenant: TenantId, wa_id: &WaId) -> sqlx::Result<Vec<MessageId>> {
    let hold = "SELECT FROM outbound.cursors WHERE tenant_id = $1 AND reactor = 'whatsapp' FOR UPDATE";
    sqlx::query(hold).bind(tenant.0).execute(&mut *db).await?;
    let drop = "DELETE FROM outbound.sends WHERE tenant_id = $1 AND wa_id = $2 AND state IN ('queued', 'uploading')";
    sqlx::query(drop).bind(tenant.0).bind(wa_id.as_str()).execute(&mut *db).await?;
    let blank = "UPDATE outbound.sends SET letter = 'null', context = NULL WHERE tenant_id = $1 AND wa_id = $2 \
                 RETURNING message_id";
    let left: Vec<Uuid> = sqlx::query_scalar(blank).bind(tenant.0).bind(wa_id.as_str()).fetch_all(db).await?;
    Ok(left.into_iter().map(MessageId).collect())
}

/// What messages say of their files, as text that Postgres can hold.
fn texts(files: &[NewFetch], of: fn(&IncomingFile) -> Option<&str>) -> Vec<Option<String>> {
    files.iter().map(|fetch| of(&fetch.file).map(|text| text.replace('\0', ""))).collect()
}

/// Claims the oldest row of some chats, and marks them as being called. A chat whose oldest row is not free is left
/// alone, except where only the time of an unknown outcome is over. What was written before its customer was forgotten
/// is not sent; whoever follows the ledger drops it.
pub(super) async fn claim(pool: &PgPool, tenant: TenantId, limit: i64, lease: Duration) -> sqlx::Result<Vec<Send>> {
    let statement = format!(
        "WITH due AS (\
             SELECT s.position FROM outbound.sends s \
             WHERE s.tenant_id = $1 AND s.state = 'queued' AND s.not_before <= now() AND NOT EXISTS (\
                 SELECT FROM outbound.sends e \
                 WHERE e.tenant_id = $1 AND e.wa_id = s.wa_id AND e.position < s.position \
                     AND NOT (e.state = 'unknown' AND e.lease_until <= now())) \
                 AND NOT EXISTS (\
                     SELECT FROM ledger.events e \
                     WHERE e.tenant_id = $1 AND e.aggregate_type = 'Contact' AND e.aggregate_id = s.wa_id \
                         AND e.event_type = 'ContactErased' AND e.position > s.position) \
             ORDER BY s.position LIMIT $2 FOR UPDATE OF s SKIP LOCKED\
         ) UPDATE outbound.sends s \
         SET state = 'calling', attempts = s.attempts + 1, fence = s.fence + 1, lease_until = now() + $3 \
         FROM due WHERE s.tenant_id = $1 AND s.position = due.position RETURNING {COLUMNS}"
    );
    sqlx::query_as(&statement).bind(tenant.0).bind(limit).bind(interval(lease)).fetch_all(pool).await
}

/// Takes over rows whose caller died. They may have been sent.
pub(super) async fn take_over(pool: &PgPool, limit: i64, lease: Duration) -> sqlx::Result<Vec<Send>> {
    let statement = format!(
        "WITH lost AS (\
             SELECT tenant_id, position FROM outbound.sends WHERE state = 'calling' AND lease_until < now() \
             ORDER BY tenant_id, position LIMIT $1 FOR UPDATE SKIP LOCKED\
         ) UPDATE outbound.sends s SET fence = s.fence + 1, lease_until = now() + $2 \
         FROM lost WHERE s.tenant_id = lost.tenant_id AND s.position = lost.position RETURNING {COLUMNS}"
    );
    sqlx::query_as(&statement).bind(limit).bind(interval(lease)).fetch_all(pool).await
}

/// Keeps rows ours.
pub(super) async fn extend(pool: &PgPool, held: &[(TenantId, i64, i64)], lease: Duration) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE outbound.sends s SET lease_until = now() + $4 \
         FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS held (tenant_id, position, fence) \
         WHERE s.tenant_id = held.tenant_id AND s.position = held.position AND s.fence = held.fence \
             AND s.state IN ('calling', 'uploading')",
    )
    .bind(held.iter().map(|(tenant, ..)| tenant.0).collect::<Vec<_>>())
    .bind(held.iter().map(|(_, position, _)| *position).collect::<Vec<_>>())
    .bind(held.iter().map(|(.., fence)| *fence).collect::<Vec<_>>())
    .bind(interval(lease))
    .execute(pool)
    .await?;
    Ok(())
}

/// Says that a row's files are being given to WhatsApp, or that this is over and the call comes; whether it is ours.
pub(super) async fn turn(pool: &PgPool, send: &Send, state: &str) -> sqlx::Result<bool> {
    let statement = "UPDATE outbound.sends SET state = $4 WHERE tenant_id = $1 AND position = $2 AND fence = $3";
    let bound = sqlx::query(statement).bind(send.tenant_id).bind(send.position).bind(send.fence);
    Ok(bound.bind(state).execute(pool).await?.rows_affected() == 1)
}

/// WhatsApp's id of a file that it was given lately.
pub(super) async fn uploaded(
    pool: &PgPool,
    tenant: TenantId,
    number: &str,
    media: MediaId,
) -> sqlx::Result<Option<String>> {
    // WhatsApp keeps files for thirty days.
    let statement = "SELECT waba_id FROM outbound.uploads WHERE tenant_id = $1 AND phone_number_id = $2 \
                     AND media_id = $3 AND uploaded_at > now() - interval '25 days'";
    sqlx::query_scalar(statement).bind(tenant.0).bind(number).bind(media.0).fetch_optional(pool).await
}

/// Remembers WhatsApp's id of a file that it was given.
pub(super) async fn remember_upload(
    pool: &PgPool,
    tenant: TenantId,
    number: &str,
    media: MediaId,
    waba_id: &str,
) -> sqlx::Result<()> {
    let statement = "INSERT INTO outbound.uploads (tenant_id, phone_number_id, media_id, waba_id) \
                     VALUES ($1, $2, $3, $4) ON CONFLICT (tenant_id, phone_number_id, media_id) \
                     DO UPDATE SET waba_id = excluded.waba_id, uploaded_at = now()";
    sqlx::query(statement).bind(tenant.0).bind(number).bind(media.0).bind(waba_id).execute(pool).await?;
    Ok(())
}

/// Forgets a settled row; whether it was still ours.
pub(super) async fn done(pool: &PgPool, send: &Send) -> sqlx::Result<bool> {
    let statement = "DELETE FROM outbound.sends WHERE tenant_id = $1 AND position = $2 AND fence = $3";
    let bound = sqlx::query(statement).bind(send.tenant_id).bind(send.position).bind(send.fence);
    Ok(bound.execute(pool).await?.rows_affected() == 1)
}

/// Puts a row back that WhatsApp did not take; whether it was still ours.
pub(super) async fn later(pool: &PgPool, send: &Send, after: Duration) -> sqlx::Result<bool> {
    let statement = "UPDATE outbound.sends SET state = 'queued', lease_until = NULL, not_before = now() + $4 \
                     WHERE tenant_id = $1 AND position = $2 AND fence = $3";
    let bound = sqlx::query(statement).bind(send.tenant_id).bind(send.position).bind(send.fence);
    Ok(bound.bind(interval(after)).execute(pool).await?.rows_affected() == 1)
}

/// Lets a row of unknown outcome hold back its chat for a while; whether it was still ours.
pub(super) async fn unknown(pool: &PgPool, send: &Send, block: Duration) -> sqlx::Result<bool> {
    let statement = "UPDATE outbound.sends SET state = 'unknown', lease_until = now() + $4 \
                     WHERE tenant_id = $1 AND position = $2 AND fence = $3";
    let bound = sqlx::query(statement).bind(send.tenant_id).bind(send.position).bind(send.fence);
    Ok(bound.bind(interval(block)).execute(pool).await?.rows_affected() == 1)
}

/// Drops rows of unknown outcome whose time is over, frees those whose upload died, and tells which tenants have rows that can be claimed.
pub(super) async fn due(pool: &PgPool) -> sqlx::Result<Vec<TenantId>> {
    sqlx::query("DELETE FROM outbound.sends WHERE state = 'unknown' AND lease_until <= now()").execute(pool).await?;
    let freed = "UPDATE outbound.sends SET state = 'queued', lease_until = NULL, fence = fence + 1 \
                 WHERE state = 'uploading' AND lease_until < now()";
    sqlx::query(freed).execute(pool).await?;
    let statement = "SELECT DISTINCT tenant_id FROM outbound.sends WHERE state = 'queued' AND not_before <= now()";
    let tenants: Vec<Uuid> = sqlx::query_scalar(statement).fetch_all(pool).await?;
    Ok(tenants.into_iter().map(TenantId).collect())
}

fn interval(duration: Duration) -> PgInterval {
    PgInterval { months: 0, days: 0, microseconds: i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 2) }
}
