//! Seals every secret anew under the newest master key, so that the older ones can be thrown away.
//!
//! Row by row beside running servers: a row that somebody changes meanwhile is theirs, and sealed under their newest key.
//! Cut short, the same command goes on; what is sealed under the newest key already is left as it is.

use chatledger_domain::TenantId;
use sqlx::PgPool;
use uuid::Uuid;

use crate::vault::{Keyring, Place};

/// Rows that are read at once.
const PAGE: i64 = 500;

/// The tables with sealed secrets, and the column that names a row within its tenant.
pub const SEALED: [(&str, &str); 3] = [("vault.tokens", "user_id"), ("vault.secrets", "kind"), ("vault.sealed", "id")];

/// How far a rotation is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rotated {
    /// All secrets there are.
    pub total: u64,
    /// Secrets that were looked at.
    pub done: u64,
    /// Secrets that were sealed anew.
    pub resealed: u64,
}

/// Why secrets are not all under the newest key.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// Some secrets open under none of the keys; all others are under the newest.
    #[error(
        "{count} of {total} secrets open under none of the configured master keys, the first in {table} of the tenant \
         {tenant}: a key is missing in secrets.old_master_keys, or the rows were moved or altered"
    )]
    DoNotOpen {
        /// How many.
        count: u64,
        /// Of how many.
        total: u64,
        /// Where the first stands.
        table: &'static str,
        /// Whose it is.
        tenant: TenantId,
    },
    /// The database.
    #[error("the database is unavailable")]
    Database(#[from] sqlx::Error),
    /// The secret cannot be sealed.
    #[error("a secret cannot be sealed")]
    Seal,
}

/// Seals all secrets under the newest key of the ring. `progress` hears how far it is.
///
/// # Errors
/// [`RotateError`].
pub async fn rotate(
    pool: &PgPool,
    keys: &Keyring,
    mut progress: impl FnMut(Rotated) + Send,
) -> Result<Rotated, RotateError> {
    let mut rotated = Rotated::default();
    for (table, _) in SEALED {
        let count: i64 = sqlx::query_scalar(&format!("SELECT count(*) FROM {table}")).fetch_one(pool).await?;
        rotated.total += count.unsigned_abs();
    }
    progress(rotated);
    let mut closed: Option<(u64, &'static str, TenantId)> = None;
    for (table, column) in SEALED {
        let (mut tenant, mut row) = (Uuid::nil(), String::new());
        loop {
            let page = page(pool, table, column, (tenant, &row)).await?;
            let Some(last) = page.last() else { break };
            (tenant, row) = (last.0, last.1.clone());
            for (owner, name, sealed) in &page {
                let place = Place { tenant: TenantId(*owner), table, row: name };
                rotated.done += 1;
                if keys.is_newest(place, sealed) {
                    continue;
                }
                match keys.open(place, sealed) {
                    Ok(secret) => {
                        let anew = keys.seal(place, &secret).map_err(|_| RotateError::Seal)?;
                        rotated.resealed += replace(pool, (table, column), (*owner, name), sealed, &anew).await?;
                    }
                    Err(_) => closed.get_or_insert((0, table, TenantId(*owner))).0 += 1,
                }
            }
            progress(rotated);
        }
    }
    match closed {
        Some((count, table, tenant)) => Err(RotateError::DoNotOpen { count, total: rotated.total, table, tenant }),
        None => Ok(rotated),
    }
}

async fn page(
    pool: &PgPool,
    table: &str,
    column: &str,
    after: (Uuid, &str),
) -> sqlx::Result<Vec<(Uuid, String, Vec<u8>)>> {
    let sql = format!(
        "SELECT tenant_id, {column}::text, sealed FROM {table}
          WHERE (tenant_id, {column}::text COLLATE \"C\") > ($1, $2)
          ORDER BY tenant_id, {column}::text COLLATE \"C\" LIMIT {PAGE}"
    );
    sqlx::query_as(&sql).bind(after.0).bind(after.1).fetch_all(pool).await
}

/// How many rows were replaced: none where somebody has changed it meanwhile.
async fn replace(
    pool: &PgPool,
    (table, column): (&str, &str),
    (tenant, row): (Uuid, &str),
    before: &[u8],
    anew: &[u8],
) -> sqlx::Result<u64> {
    let sql = format!("UPDATE {table} SET sealed = $4 WHERE tenant_id = $1 AND {column}::text = $2 AND sealed = $3");
    Ok(sqlx::query(&sql).bind(tenant).bind(row).bind(before).bind(anew).execute(pool).await?.rows_affected())
}

/// Whether the keys open anything of what is kept; `None` where nothing is. A few rows of each table tell.
///
/// # Errors
/// When the database cannot be reached.
pub(super) async fn opens_any(pool: &PgPool, keys: &Keyring) -> sqlx::Result<Option<bool>> {
    let mut any = None;
    for (table, column) in SEALED {
        let sql = format!("SELECT tenant_id, {column}::text, sealed FROM {table} ORDER BY tenant_id LIMIT 20");
        let rows: Vec<(Uuid, String, Vec<u8>)> = sqlx::query_as(&sql).fetch_all(pool).await?;
        let opens = rows
            .iter()
            .any(|(tenant, row, sealed)| keys.open(Place { tenant: TenantId(*tenant), table, row }, sealed).is_ok());
        if opens {
            return Ok(Some(true));
        }
        any = any.or((!rows.is_empty()).then_some(false));
    }
    Ok(any)
}
