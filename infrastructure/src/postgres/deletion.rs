//! Deletes a tenant: every row of every table that is its own, and its files.
//!
//! First the tenant loses its head and its place in the directory, and the database refuses to give it another head: so
//! servers let go of it within seconds, and nothing is recorded any more. Then the rows go, then the files, and in the
//! end whatever a server has written meanwhile. Cut short anywhere, the same command finishes it.

use std::time::Duration;

use chatledger_application::ports::{Unavailable, media::MediaStore};
use chatledger_domain::TenantId;
use sqlx::{Connection, PgConnection, PgPool};

/// How long servers may know a tenant that is gone: their directories are read again after five seconds.
const LETTING_GO: Duration = Duration::from_millis(5_500);
/// Between two looks for what a server has written meanwhile.
const AGAIN: Duration = Duration::from_secs(1);

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deleted {
    /// Events.
    pub events: u64,
    /// Rows of other tables.
    pub rows: u64,
    /// Files.
    pub files: u64,
}

/// What a deletion is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeletionStep {
    /// Servers let go of the tenant.
    LettingGo,
    /// Rows are removed: tables done, and how many there are.
    Rows(usize, usize),
    /// Files are removed.
    Files(u64),
    /// What was written meanwhile is removed.
    Again,
}

/// Why a tenant is not deleted. Asking again goes on where it stopped.
#[derive(Debug, thiserror::Error)]
pub enum DeletionError {
    /// There is no such tenant.
    #[error("no such tenant")]
    UnknownTenant,
    /// The media store.
    #[error(transparent)]
    Media(#[from] Unavailable),
    /// The database.
    #[error("the database is unavailable")]
    Database(#[from] sqlx::Error),
}

/// Deletes a tenant, also beside running servers. `progress` hears each step.
///
/// # Errors
/// [`DeletionError`].
pub async fn delete_tenant(
    pool: &PgPool,
    media: &dyn MediaStore,
    tenant: TenantId,
    mut progress: impl FnMut(DeletionStep) + Send,
) -> Result<Deleted, DeletionError> {
    let mut db = pool.acquire().await?.detach();
    if !begin(&mut db, tenant).await? {
        return Err(DeletionError::UnknownTenant);
    }
    progress(DeletionStep::LettingGo);
    tokio::time::sleep(LETTING_GO).await;
    let mut deleted = Deleted::default();
    rows(&mut db, tenant, &mut deleted, |done, of| progress(DeletionStep::Rows(done, of))).await?;
    for blob in media.blobs(tenant).await? {
        media.delete(tenant, blob).await?;
        deleted.files += 1;
        progress(DeletionStep::Files(deleted.files));
    }
    progress(DeletionStep::Again);
    while rows(&mut db, tenant, &mut deleted, |_, _| {}).await? > 0 {
        tokio::time::sleep(AGAIN).await;
    }
    sqlx::query("DELETE FROM ledger.deletions WHERE tenant_id = $1").bind(tenant.0).execute(&mut db).await?;
    db.close().await?;
    Ok(deleted)
}

/// Takes the tenant out of service; whether there is one.
async fn begin(db: &mut PgConnection, tenant: TenantId) -> sqlx::Result<bool> {
    let mut tx = db.begin().await?;
    let sql = "SELECT set_config('statement_timeout', '0', false), set_config('chatledger.deleted_tenant', $1, false), \
               set_config('idle_in_transaction_session_timeout', '0', false)";
    sqlx::query(sql).bind(tenant.to_string()).execute(&mut *tx).await?;
    let sql = "INSERT INTO ledger.deletions (tenant_id) VALUES ($1) ON CONFLICT DO NOTHING";
    let is_first = sqlx::query(sql).bind(tenant.0).execute(&mut *tx).await?.rows_affected() > 0;
    let sql = "DELETE FROM ledger.heads WHERE tenant_id = $1";
    let had_head = sqlx::query(sql).bind(tenant.0).execute(&mut *tx).await?.rows_affected() > 0;
    let sql = "DELETE FROM read_models.tenants WHERE tenant_id = $1";
    sqlx::query(sql).bind(tenant.0).execute(&mut *tx).await?;
    if is_first && !had_head {
        tx.rollback().await?;
        return Ok(false);
    }
    tx.commit().await?;
    Ok(true)
}

/// Removes all rows of the tenant in one transaction; how many there were. Which tables there are is asked of the
/// database, so that none that comes later is forgotten.
async fn rows(
    db: &mut PgConnection,
    tenant: TenantId,
    deleted: &mut Deleted,
    mut progress: impl FnMut(usize, usize) + Send,
) -> sqlx::Result<u64> {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid \
         WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attname = 'tenant_id' AND NOT a.attisdropped \
             AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace) \
             AND c.oid <> 'ledger.deletions'::regclass ORDER BY 1",
    )
    .fetch_all(&mut *db)
    .await?;
    let mut tx = db.begin().await?;
    let mut removed = 0;
    for (done, table) in tables.iter().enumerate() {
        progress(done, tables.len());
        let sql = format!("DELETE FROM {table} WHERE tenant_id = $1");
        let rows = sqlx::query(&sql).bind(tenant.0).execute(&mut *tx).await?.rows_affected();
        removed += rows;
        let kind = if table == "ledger.events" { &mut deleted.events } else { &mut deleted.rows };
        *kind += rows;
    }
    tx.commit().await?;
    progress(tables.len(), tables.len());
    Ok(removed)
}
