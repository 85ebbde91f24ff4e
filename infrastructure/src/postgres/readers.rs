//! The connections with which the API reads: a role of the database that sees one tenant's rows only.

use sqlx::PgPool;

use super::settings::{SettingsError, connect_with};

/// The role, made by migration `0030`.
const ROLE: &str = "chatledger_reader";

/// A pool for reading the read models, each connection in the role of a reader. `None` where the rights of our own
/// role do not allow it: then the conditions of the queries alone hold tenants apart.
///
/// # Errors
/// When the database cannot be reached.
pub async fn readers(owner: &PgPool, url: &str, max_connections: u32) -> Result<Option<PgPool>, SettingsError> {
    // On a connection that may wait: making a policy waits for those who read the table.
    let protected: bool = sqlx::query_scalar("SELECT read_models.protect()").fetch_one(owner).await?;
    if !protected {
        tracing::warn!("the database has no role {ROLE}: tenants are held apart by the queries alone");
        return Ok(None);
    }
    Ok(Some(connect_with(url, max_connections, &[("role", ROLE)])?))
}
