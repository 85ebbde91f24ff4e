//! Postgres: the ledger, the vault, the quarantine, the private cluster, and what every connection needs.

mod append;
mod archive;
mod audit;
mod daily_limits;
mod deletion;
mod embedded;
mod erase;
mod erasures;
mod feed;
mod group;
pub(crate) mod hash;
mod ledger;
mod prepare;
mod prove;
mod quarantine;
mod rate_limits;
mod raw;
mod read;
mod readers;
mod refreshes;
mod row;
mod settings;
mod show;
mod vault;
mod verify;

pub use archive::{ArchiveError, Archived, Counts, Progress as ArchiveProgress, Step as ArchiveStep, export, import};
pub use audit::PgAuditTrail;
pub use daily_limits::PgDailyLimits;
pub use deletion::{Deleted, DeletionError, DeletionStep, delete_tenant};
pub use embedded::{Embedded, EmbeddedError};
pub use ledger::PgLedger;
pub use prove::{ProveError, Proved, prove};
pub use quarantine::PgQuarantine;
pub use rate_limits::PgRateLimits;
pub use readers::readers;
pub use refreshes::PgRefreshes;
pub use settings::{SettingsError, check_settings, connect};
pub use show::{ShownEvent, show};
/// A pool of connections, and how it fails: for those who put the parts together.
pub use sqlx::{Error as DatabaseError, PgPool as Pool};
pub use vault::{PgVault, RotateError, Rotated, SEALED, rotate};
pub use verify::{Broken, Mark, Marks, Verified, VerifyError, ledgers, marks, verify};

/// The migrations, compiled in.
static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("../migrations");

/// Brings the database to the form that this program expects. Servers that start at once wait for each other.
///
/// # Errors
/// When the database cannot be reached, or holds a migration that this program does not know or knows otherwise.
pub async fn migrate(pool: &sqlx::PgPool) -> Result<(), sqlx::migrate::MigrateError> {
    // A connection of its own, without the timeout of ordinary ones: building an index over a large table takes long.
    let mut connection = pool.acquire().await?.detach();
    sqlx::query("SET statement_timeout = 0").execute(&mut connection).await?;
    MIGRATOR.run(&mut connection).await?;
    if let Err(error) = crate::analytics::readmit(&mut connection).await {
        tracing::warn!(%error, "roles that read the views may not see the newest of them");
    }
    sqlx::Connection::close(connection).await?;
    Ok(())
}
