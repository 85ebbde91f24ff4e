//! Rows of `ledger.events` as recorded events.

use std::sync::Arc;

use chatledger_application::ports::ledger::{LedgerError, Metadata, Recorded, StreamId};
use chatledger_domain::{AnyEvent, Position, TenantId};
use sqlx::{Row, postgres::PgRow};

/// The columns that [`decode_rows`] expects, in this order, of a table or alias named `e`.
pub(super) const COLUMNS: &str = "e.position, e.aggregate_type, e.aggregate_id, e.sequence, e.event_type, \
    e.event_version, e.payload, e.metadata, e.occurred_at, e.recorded_at";

/// Decodes rows that were selected as [`COLUMNS`].
///
/// # Errors
/// [`LedgerError::Unreadable`] with the first event that this program cannot read.
pub(super) fn decode_rows(tenant: TenantId, rows: &[PgRow]) -> Result<Vec<Recorded>, LedgerError> {
    // Events that were recorded together share their metadata, so they share it here.
    let mut last: Option<(&str, Arc<Metadata>)> = None;
    let mut events = Vec::with_capacity(rows.len());
    for row in rows {
        let position = Position(row.try_get(0).map_err(unavailable)?);
        let unreadable =
            |source: Box<dyn std::error::Error + Send + Sync>| LedgerError::Unreadable { position, source };
        // `json` comes over the wire as its own text.
        let text: &str = row.try_get_unchecked(7).map_err(unavailable)?;
        let metadata = match &last {
            Some((same, metadata)) if *same == text => metadata.clone(),
            _ => Arc::new(serde_json::from_str(text).map_err(|error| unreadable(error.into()))?),
        };
        last = Some((text, metadata.clone()));
        events.push(decode_row(tenant, position, row, metadata).map_err(unreadable)?);
    }
    Ok(events)
}

fn decode_row(
    tenant: TenantId,
    position: Position,
    row: &PgRow,
    metadata: Arc<Metadata>,
) -> Result<Recorded, Box<dyn std::error::Error + Send + Sync>> {
    let aggregate: &str = row.try_get(1)?;
    let payload: &str = row.try_get_unchecked(6)?;
    let event = AnyEvent::read(aggregate, row.try_get(4)?, row.try_get(5)?, payload)?;
    let aggregate_type = AnyEvent::aggregate_type(aggregate).ok_or_else(|| format!("no aggregate {aggregate}"))?;
    Ok(Recorded {
        tenant,
        position,
        stream: StreamId { aggregate_type, aggregate_id: row.try_get(2)? },
        sequence: row.try_get(3)?,
        event,
        metadata,
        occurred_at: row.try_get(8)?,
        recorded_at: row.try_get(9)?,
    })
}

/// A fault of the database while reading.
pub(super) fn unavailable(error: sqlx::Error) -> LedgerError {
    LedgerError::Unavailable(error.into())
}
