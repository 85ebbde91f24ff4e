//! Connections, and the settings without which "durable" would be a lie.

use std::time::Duration;

use sqlx::{
    Connection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

/// The oldest server that is supported.
const OLDEST: i32 = 14;

/// Why a database is not used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// It could lose what was acknowledged, or is too old. All reasons at once.
    #[error("this database is not safe for a ledger:\n  {}", .0.join("\n  "))]
    Unsafe(Vec<String>),
    /// It cannot be reached.
    #[error("the database cannot be reached")]
    Unavailable(#[from] sqlx::Error),
}

/// Refuses a database that may lose what it has confirmed.
///
/// # Errors
/// With every reason at once.
pub async fn check_settings(pool: &PgPool) -> Result<(), SettingsError> {
    let (version, fsync, full_page_writes, synchronous_commit): (i32, String, String, String) = sqlx::query_as(
        "SELECT current_setting('server_version_num')::int, current_setting('fsync'), \
         current_setting('full_page_writes'), current_setting('synchronous_commit')",
    )
    .fetch_one(pool)
    .await?;
    let mut reasons = Vec::new();
    if version / 10_000 < OLDEST {
        reasons.push(format!("PostgreSQL {} is too old: {OLDEST} or newer is needed", version / 10_000));
    }
    if fsync == "off" {
        reasons.push("fsync is off: a crash of the machine can destroy everything; set fsync = on".to_owned());
    }
    if full_page_writes == "off" {
        reasons.push("full_page_writes is off: a crash can tear pages; set full_page_writes = on".to_owned());
    }
    if synchronous_commit == "off" {
        reasons.push(
            "synchronous_commit is off: a crash loses what was acknowledged; set synchronous_commit = on \
             (also for this role and database)"
                .to_owned(),
        );
    }
    if reasons.is_empty() { Ok(()) } else { Err(SettingsError::Unsafe(reasons)) }
}

/// A pool of ordinary connections: no statement takes longer than five seconds, nobody waits longer than three for a
/// connection, so that a request is answered in time whatever the database does. The first connection is made on
/// first use.
///
/// # Errors
/// When the URL is not one.
pub fn connect(url: &str, max_connections: u32) -> Result<PgPool, sqlx::Error> {
    // All that is asked on these is found by an index. A plan made while a table was nearly empty would read it whole,
    // and be kept until the next ANALYZE, however the table grows meanwhile.
    connect_with(url, max_connections, &[("enable_seqscan", "off")])
}

/// The same with more settings for each connection.
pub(super) fn connect_with(url: &str, max_connections: u32, more: &[(&str, &str)]) -> Result<PgPool, sqlx::Error> {
    let options: PgConnectOptions = url.parse()?;
    let options = options.application_name("chatledger").statement_cache_capacity(512).options([
        ("statement_timeout", "5s"),
        // A server that sleeps within a transaction must not hold up the others for long: its work is to be taken over
        // within 30 s.
        ("idle_in_transaction_session_timeout", "8s"),
        ("jit", "off"),
    ]);
    let options = options.options(more.iter().copied());
    Ok(PgPoolOptions::new()
        .max_connections(max_connections)
        .acquire_timeout(Duration::from_secs(3))
        // A connection that was used a moment ago needs no round trip to prove that it lives.
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for > Duration::from_secs(1) {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_lazy_with(options))
}
