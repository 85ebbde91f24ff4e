//! Raw rows of the ledger, as `ledger show` prints them: also those that this program cannot read.

use chatledger_domain::{Position, TenantId};
use sqlx::{FromRow, PgPool};

/// A row of `ledger.events`, every column as text.
#[derive(Clone, Debug, PartialEq, Eq, FromRow, serde::Serialize)]
pub struct ShownEvent {
    /// Place in the ledger.
    pub position: String,
    /// The aggregate's type.
    pub aggregate_type: String,
    /// The aggregate's id.
    pub aggregate_id: String,
    /// Number in the stream.
    pub sequence: String,
    /// The stored name.
    pub event_type: String,
    /// The stored version.
    pub event_version: String,
    /// The payload, JSON as it is stored.
    pub payload: String,
    /// The metadata, JSON as it is stored.
    pub metadata: String,
    /// The idempotency key.
    pub idempotency_key: Option<String>,
    /// When it happened, RFC 3339 in UTC.
    pub occurred_at: String,
    /// When it was written, RFC 3339 in UTC.
    pub recorded_at: String,
    /// sha256 of the payload, hexadecimal.
    pub payload_hash: String,
    /// The event's hash, hexadecimal.
    pub hash: String,
    /// When the payload was erased, RFC 3339 in UTC.
    pub erased_at: Option<String>,
}

/// Events from a position on, of the whole ledger or of one stream (aggregate type and id).
///
/// # Errors
/// When the database cannot be reached.
pub async fn show(
    pool: &PgPool,
    tenant: TenantId,
    stream: Option<(&str, &str)>,
    from: Position,
    limit: i64,
) -> Result<Vec<ShownEvent>, sqlx::Error> {
    let time =
        |column: &str| format!(r#"to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS {column}"#);
    let query = format!(
        "SELECT position::text, aggregate_type, aggregate_id, sequence::text, event_type, event_version, \
         payload::text, metadata::text, idempotency_key, {}, {}, encode(payload_hash, 'hex') AS payload_hash, \
         encode(hash, 'hex') AS hash, {} FROM ledger.events e \
         WHERE tenant_id = $1 AND e.position >= $2 AND ($3::text IS NULL OR aggregate_type = $3 AND aggregate_id = $4) \
         ORDER BY e.position LIMIT $5",
        time("occurred_at"),
        time("recorded_at"),
        time("erased_at"),
    );
    sqlx::query_as(&query)
        .bind(tenant.0)
        .bind(from.0)
        .bind(stream.map(|(kind, _)| kind))
        .bind(stream.map(|(_, id)| id))
        .bind(limit)
        .fetch_all(pool)
        .await
}
