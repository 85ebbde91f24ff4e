//! Writes a tenant into a file, beside a running server: what is in it is the tenant at one moment.

use std::path::Path;

use chatledger_application::ports::media::MediaStore;
use chatledger_domain::TenantId;
use futures_util::TryStreamExt;
use sqlx::{Connection, PgConnection, PgPool, Row};

use super::{
    ArchiveError, Archived, Counts, FORMAT, Header, Progress, Step, damaged,
    file::{Lines, PART, Part, Writer},
    rows::{COLUMNS, Line},
};

/// Between two words on how far it is.
const WORD: i64 = 5_000;

/// Writes everything of a tenant that cannot be made anew: ledger, claims, media; with `with_secrets` also the vault's
/// rows, sealed and hashed as they are, which the same master key opens.
///
/// # Errors
/// [`ArchiveError`]; no file is left then.
pub async fn export(
    pool: &PgPool,
    media: &dyn MediaStore,
    (tenant, slug): (TenantId, &str),
    with_secrets: bool,
    path: &Path,
    mut progress: impl FnMut(Progress) + Send,
) -> Result<Archived, ArchiveError> {
    let mut connection = pool.acquire().await?.detach();
    let mut tx = connection.begin().await?;
    // One moment for all that is read.
    sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY").execute(&mut *tx).await?;
    unhurried(&mut tx).await?;
    let head = sqlx::query("SELECT head_position, head_hash FROM ledger.heads WHERE tenant_id = $1")
        .bind(tenant.0)
        .fetch_optional(&mut *tx)
        .await?
        .ok_or(ArchiveError::UnknownTenant)?;
    let (head_position, head_hash): (i64, Vec<u8>) = (head.try_get(0)?, head.try_get(1)?);
    let head_hash = hex::encode(head_hash);

    let mut writer = Writer::begin(path)?;
    let header = Header {
        format: FORMAT,
        tenant,
        slug: slug.to_owned(),
        head_position,
        head_hash: head_hash.clone(),
        with_secrets,
    };
    let bytes = serde_json::to_vec_pretty(&header).map_err(damaged)?;
    writer.add(Part { name: "header.json".to_owned(), bytes }).await?;
    let mut counts = Counts {
        events: events(&mut tx, tenant, head_position, &mut writer, &mut progress).await?,
        claims: table(&mut tx, tenant, "ledger.claims", "claims", &mut writer).await?,
        ..Counts::default()
    };
    if with_secrets {
        for name in vault(&mut tx).await? {
            counts.secrets += table(&mut tx, tenant, &name, &name, &mut writer).await?;
        }
    }
    tx.commit().await?;
    connection.close().await?;
    counts.media = files(media, tenant, &mut writer, &mut progress).await?;
    writer.finish(&head_hash, &counts).await?;
    Ok(Archived { tenant, slug: slug.to_owned(), head_hash, counts })
}

/// A connection that may take as long as it needs.
pub(super) async fn unhurried(db: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query(
        "SELECT set_config('statement_timeout', '0', true), \
         set_config('idle_in_transaction_session_timeout', '0', true)",
    )
    .execute(db)
    .await?;
    Ok(())
}

async fn events(
    db: &mut PgConnection,
    tenant: TenantId,
    head: i64,
    writer: &mut Writer,
    progress: &mut (impl FnMut(Progress) + Send),
) -> Result<i64, ArchiveError> {
    let sql = format!("SELECT {COLUMNS} FROM ledger.events WHERE tenant_id = $1 ORDER BY position");
    let (mut lines, mut done) = (Lines::of("events"), 0);
    let mut rows = sqlx::query(&sql).bind(tenant.0).fetch(db);
    while let Some(row) = rows.try_next().await? {
        let line = serde_json::to_string(&Line::read(&row)?).map_err(damaged)?;
        if let Some(part) = lines.add(&line) {
            writer.add(part).await?;
        }
        done += 1;
        if done % WORD == 0 {
            progress(Progress { step: Step::Events, done, total: head });
        }
    }
    if let Some(part) = lines.end() {
        writer.add(part).await?;
    }
    progress(Progress { step: Step::Events, done, total: head });
    Ok(done)
}

/// The tables of secrets.
pub(super) async fn vault(db: &mut PgConnection) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "SELECT 'vault.' || relname FROM pg_class WHERE relnamespace = 'vault'::regnamespace AND relkind = 'r' \
         ORDER BY 1",
    )
    .fetch_all(db)
    .await
}

/// The rows of a table, as JSON.
async fn table(
    db: &mut PgConnection,
    tenant: TenantId,
    table: &str,
    kind: &str,
    writer: &mut Writer,
) -> Result<i64, ArchiveError> {
    let sql = format!("SELECT to_jsonb(t)::text FROM {table} t WHERE tenant_id = $1 ORDER BY 1");
    let (mut lines, mut done) = (Lines::of(kind), 0);
    let mut rows = sqlx::query_scalar::<_, String>(&sql).bind(tenant.0).fetch(db);
    while let Some(line) = rows.try_next().await? {
        if let Some(part) = lines.add(&line) {
            writer.add(part).await?;
        }
        done += 1;
    }
    if let Some(part) = lines.end() {
        writer.add(part).await?;
    }
    Ok(done)
}

async fn files(
    media: &dyn MediaStore,
    tenant: TenantId,
    writer: &mut Writer,
    progress: &mut (impl FnMut(Progress) + Send),
) -> Result<i64, ArchiveError> {
    let blobs = media.blobs(tenant).await?;
    let (mut done, total) = (0, i64::try_from(blobs.len()).unwrap_or(i64::MAX));
    for blob in blobs {
        // One that was forgotten meanwhile is not there any more.
        let Some(mut chunks) = media.get(tenant, blob, None).await? else { continue };
        let (mut number, mut bytes) = (0, Vec::new());
        let mut part = |bytes: &mut Vec<u8>| {
            number += 1;
            Part { name: format!("media/{blob}/{number:08}"), bytes: std::mem::take(bytes) }
        };
        while let Some(chunk) = chunks.try_next().await? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() >= PART {
                writer.add(part(&mut bytes)).await?;
            }
        }
        // Also of a file without bytes there is a part.
        writer.add(part(&mut bytes)).await?;
        done += 1;
        progress(Progress { step: Step::Media, done, total });
    }
    Ok(done)
}
