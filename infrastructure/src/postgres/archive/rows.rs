//! An event as a line of an archive: every column as it is stored, so that its hashes still hold.

use chatledger_domain::TenantId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, Row, postgres::PgRow};

use super::ArchiveError;
use crate::postgres::{
    erasures::{SPEAKS, Seen, is_blank},
    hash::{Hash, Link, of_text},
};

/// The columns that [`Line::read`] expects.
pub(super) const COLUMNS: &str = "position, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, \
    metadata, idempotency_key, occurred_at, recorded_at, payload_hash, hash, erased_at";

/// An event.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Line {
    pub(super) position: i64,
    pub(super) aggregate_type: String,
    pub(super) aggregate_id: String,
    pub(super) sequence: i64,
    pub(super) event_type: String,
    pub(super) event_version: String,
    /// JSON, as a text: byte for byte.
    pub(super) payload: String,
    pub(super) metadata: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) idempotency_key: Option<String>,
    /// Microseconds since 1970.
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub(super) occurred_at: DateTime<Utc>,
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub(super) recorded_at: DateTime<Utc>,
    /// Hexadecimal digits.
    pub(super) payload_hash: String,
    pub(super) hash: String,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "chrono::serde::ts_microseconds_option")]
    pub(super) erased_at: Option<DateTime<Utc>>,
}

impl Line {
    pub(super) fn read(row: &PgRow) -> sqlx::Result<Self> {
        // `json` comes over the wire as its own text.
        let (payload, metadata): (&str, &str) = (row.try_get_unchecked(6)?, row.try_get_unchecked(7)?);
        let hash = |column: usize| row.try_get::<&[u8], _>(column).map(hex::encode);
        Ok(Self {
            position: row.try_get(0)?,
            aggregate_type: row.try_get(1)?,
            aggregate_id: row.try_get(2)?,
            sequence: row.try_get(3)?,
            event_type: row.try_get(4)?,
            event_version: row.try_get(5)?,
            payload: payload.to_owned(),
            metadata: metadata.to_owned(),
            idempotency_key: row.try_get(8)?,
            occurred_at: row.try_get(9)?,
            recorded_at: row.try_get(10)?,
            payload_hash: hash(11)?,
            hash: hash(12)?,
            erased_at: row.try_get(13)?,
        })
    }

    /// Its hash, if it is the event that must follow.
    pub(super) fn check(&self, position: i64, previous: &Hash) -> Result<Hash, String> {
        if self.position != position {
            return Err("missing".to_owned());
        }
        let (payload_hash, stored) = (hash_of(&self.payload_hash)?, hash_of(&self.hash)?);
        if self.erased_at.is_none() && of_text(&self.payload) != payload_hash {
            return Err("the payload was altered".to_owned());
        }
        if self.erased_at.is_some()
            && !is_blank(&self.aggregate_type, &self.event_type, &self.event_version, &self.payload)
        {
            return Err(SPEAKS.to_owned());
        }
        let link = Link {
            position,
            aggregate_type: &self.aggregate_type,
            aggregate_id: &self.aggregate_id,
            sequence: self.sequence,
            event_type: &self.event_type,
            event_version: &self.event_version,
            occurred_at: self.occurred_at,
            recorded_at: self.recorded_at,
            payload: &payload_hash,
            metadata: &of_text(&self.metadata),
        };
        if link.after(previous) == stored {
            Ok(stored)
        } else {
            Err("it does not follow from the event before it".into())
        }
    }
}

impl Line {
    /// What counts for erasures.
    pub(super) fn seen(&self) -> Seen<'_> {
        Seen {
            position: self.position,
            event_type: &self.event_type,
            occurred_at: self.occurred_at.timestamp_micros(),
            erased_at: self.erased_at.map(|at| at.timestamp_micros()),
            payload: self.payload.as_bytes(),
        }
    }
}

pub(super) fn hash_of(digits: &str) -> Result<Hash, String> {
    let bytes = hex::decode(digits).ok().and_then(|bytes| Hash::try_from(bytes).ok());
    bytes.ok_or_else(|| "a hash that is no sha256".to_owned())
}

/// Stores events that were checked.
pub(super) async fn insert(db: &mut PgConnection, tenant: TenantId, lines: &[Line]) -> Result<(), ArchiveError> {
    let bytes = |of: fn(&Line) -> &str| {
        let decoded = lines.iter().map(move |line| hex::decode(of(line)).unwrap_or_default());
        decoded.collect::<Vec<_>>()
    };
    sqlx::query(
        "INSERT INTO ledger.events (tenant_id, position, aggregate_type, aggregate_id, sequence, event_type, \
             event_version, payload, metadata, idempotency_key, occurred_at, recorded_at, payload_hash, hash, erased_at) \
         SELECT $1, n.position, n.aggregate_type, n.aggregate_id, n.sequence, n.event_type, n.event_version, \
             n.payload::json, n.metadata::json, n.key, n.occurred_at, n.recorded_at, n.payload_hash, n.hash, n.erased_at \
         FROM unnest($2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[], \
                     $10::text[], $11::timestamptz[], $12::timestamptz[], $13::bytea[], $14::bytea[], $15::timestamptz[]) \
             AS n (position, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata, key, \
                   occurred_at, recorded_at, payload_hash, hash, erased_at)",
    )
    .bind(tenant.0)
    .bind(lines.iter().map(|line| line.position).collect::<Vec<_>>())
    .bind(lines.iter().map(|line| line.aggregate_type.as_str()).collect::<Vec<_>>())
    .bind(lines.iter().map(|line| line.aggregate_id.as_str()).collect::<Vec<_>>())
    .bind(lines.iter().map(|line| line.sequence).collect::<Vec<_>>())
    .bind(lines.iter().map(|line| line.event_type.as_str()).collect::<Vec<_>>())
    .bind(lines.iter().map(|line| line.event_version.as_str()).collect::<Vec<_>>())
    .bind(lines.iter().map(|line| line.payload.as_str()).collect::<Vec<_>>())
    .bind(lines.iter().map(|line| line.metadata.as_str()).collect::<Vec<_>>())
    .bind(lines.iter().map(|line| line.idempotency_key.as_deref()).collect::<Vec<_>>())
    .bind(lines.iter().map(|line| line.occurred_at).collect::<Vec<_>>())
    .bind(lines.iter().map(|line| line.recorded_at).collect::<Vec<_>>())
    .bind(bytes(|line| &line.payload_hash))
    .bind(bytes(|line| &line.hash))
    .bind(lines.iter().map(|line| line.erased_at).collect::<Vec<_>>())
    .execute(db)
    .await?;
    Ok(())
}
