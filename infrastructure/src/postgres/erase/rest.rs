//! What is kept of a contact beside its events: what waits, what was put aside, what is only remembered.

use chatledger_application::ports::{Unavailable, ledger::StreamId};
use chatledger_domain::{BlobId, MediaId, TenantId, WaId};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// The form of a snapshot that stands for nothing: no older state is kept in its place.
pub(in crate::postgres) const ERASED: &str = "erased";

/// Drops what came in for the tenant, could not be recorded, and names the contact; how many rows. For the operator, who
/// looks after all inboxes, also what is known to be nobody's.
pub(super) async fn quarantined(
    db: &mut PgConnection,
    tenant: TenantId,
    wa_id: &WaId,
    by_operator: bool,
) -> sqlx::Result<u64> {
    let named = format!("(^|[^0-9A-Za-z]){}([^0-9A-Za-z]|$)", wa_id.as_str().replace('.', "[.]"));
    // `escape` shows text as it is, whatever else is in the bytes.
    let sql = "DELETE FROM ledger.quarantine WHERE tenant_id = ANY ($1) AND encode(body, 'escape') ~ $2";
    let nobody = by_operator.then_some(Uuid::nil());
    let whose: Vec<Uuid> = [tenant.0].into_iter().chain(nobody).collect();
    Ok(sqlx::query(sql).bind(whose).bind(named).execute(db).await?.rows_affected())
}

/// Drops what generations of read models that do not answer may know.
pub(super) async fn generations(db: &mut PgConnection, tenant: TenantId) -> sqlx::Result<()> {
    sqlx::query("SELECT read_models.forget_generations($1)").bind(tenant.0).execute(db).await?;
    Ok(())
}

/// Files are fetched no more, WhatsApp's ids of them are forgotten, and their bytes are to be removed.
pub(super) async fn files(
    db: &mut PgConnection,
    tenant: TenantId,
    files: &[MediaId],
    blobs: &[BlobId],
) -> sqlx::Result<()> {
    let ids: Vec<Uuid> = files.iter().map(|media| media.0).collect();
    for sql in [
        "DELETE FROM outbound.fetches WHERE tenant_id = $1 AND media_id = ANY ($2)",
        "DELETE FROM outbound.uploads WHERE tenant_id = $1 AND media_id = ANY ($2)",
    ] {
        sqlx::query(sql).bind(tenant.0).bind(&ids).execute(&mut *db).await?;
    }
    let sql = "INSERT INTO outbound.removals (tenant_id, blob) SELECT $1, unnest($2::uuid[]) ON CONFLICT DO NOTHING";
    let blobs: Vec<Uuid> = blobs.iter().map(|blob| blob.0).collect();
    sqlx::query(sql).bind(tenant.0).bind(blobs).execute(db).await?;
    Ok(())
}

/// States that are remembered, and why streams could not be folded. In the place of a snapshot stands one of no form, so
/// that whoever still has the old state at hand cannot keep it again.
pub(super) async fn caches(
    db: &mut PgConnection,
    tenant: TenantId,
    wa_id: &WaId,
    sequences: &[(StreamId, i64)],
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO ledger.snapshots AS kept (tenant_id, aggregate_type, aggregate_id, sequence, form, state) \
         SELECT $1, n.type, n.id, n.sequence, $5, '{}' \
         FROM unnest($2::text[], $3::text[], $4::bigint[]) AS n (type, id, sequence) WHERE n.sequence > 0 \
         ON CONFLICT (tenant_id, aggregate_type, aggregate_id) DO UPDATE \
         SET sequence = excluded.sequence, form = excluded.form, state = excluded.state",
    )
    .bind(tenant.0)
    .bind(sequences.iter().map(|(stream, _)| stream.aggregate_type).collect::<Vec<_>>())
    .bind(sequences.iter().map(|(stream, _)| stream.aggregate_id.as_str()).collect::<Vec<_>>())
    .bind(sequences.iter().map(|(_, sequence)| *sequence).collect::<Vec<_>>())
    .bind(ERASED)
    .execute(&mut *db)
    .await?;
    sqlx::query(
        "UPDATE read_models.parked SET error = 'the contact was erased' \
         WHERE tenant_id = $1 AND aggregate_type IN ('Chat', 'Contact') AND aggregate_id = $2",
    )
    .bind(tenant.0)
    .bind(wa_id.as_str())
    .execute(db)
    .await?;
    Ok(())
}

pub(super) async fn blobs_to_remove(pool: &PgPool, limit: i64) -> sqlx::Result<Vec<(TenantId, BlobId)>> {
    let sql = "SELECT tenant_id, blob FROM outbound.removals ORDER BY tenant_id, blob LIMIT $1";
    let rows: Vec<(Uuid, Uuid)> = sqlx::query_as(sql).bind(limit).fetch_all(pool).await?;
    Ok(rows.into_iter().map(|(tenant, blob)| (TenantId(tenant), BlobId(blob))).collect())
}

pub(super) async fn blob_removed(pool: &PgPool, tenant: TenantId, blob: BlobId) -> sqlx::Result<()> {
    let sql = "DELETE FROM outbound.removals WHERE tenant_id = $1 AND blob = $2";
    sqlx::query(sql).bind(tenant.0).bind(blob.0).execute(pool).await?;
    Ok(())
}

pub(super) fn unavailable(error: sqlx::Error) -> Unavailable {
    Unavailable::new("the database", error)
}
