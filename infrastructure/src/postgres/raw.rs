//! Raw rows of the ledger, streamed in order by one `COPY`: for whoever reads very many and needs none of them decoded.

use chatledger_domain::TenantId;
use futures_util::Stream;
use sqlx::{Executor, PgConnection, PgPool};

use super::hash::Hash;

/// What a binary `COPY` begins with, before the length of an extension, which is empty.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// Flags and the length of the extension.
const FLAGS: usize = 8;
/// Postgres counts microseconds from the year 2000.
const MICROS_TO_2000: i64 = 946_684_800_000_000;

/// One row, as it came over the wire.
pub(super) struct RawRow<'a> {
    pub(super) position: i64,
    pub(super) aggregate_type: &'a str,
    pub(super) aggregate_id: &'a str,
    pub(super) sequence: i64,
    pub(super) event_type: &'a str,
    pub(super) event_version: &'a str,
    pub(super) payload: &'a [u8],
    pub(super) metadata: &'a [u8],
    /// Microseconds since 1970.
    pub(super) occurred_at: i64,
    /// Microseconds since 1970.
    pub(super) recorded_at: i64,
    pub(super) payload_hash: &'a [u8],
    pub(super) hash: &'a [u8],
    /// Microseconds since 1970.
    pub(super) erased_at: Option<i64>,
}

/// A connection for long reads: nothing limits how long a statement takes, and the pool's are not kept from others.
/// Whoever stops in the middle of a stream must drop it.
pub(super) async fn connection(pool: &PgPool) -> Result<PgConnection, sqlx::Error> {
    let mut connection = pool.acquire().await?.detach();
    connection.execute("SET statement_timeout = 0").await?;
    Ok(connection)
}

/// The rows from one position to another, both included, in order, each as a message for [`RawRow::read`].
pub(super) async fn rows(
    connection: &mut PgConnection,
    tenant: TenantId,
    from: i64,
    to: i64,
) -> Result<impl Stream<Item = Result<impl AsRef<[u8]>, sqlx::Error>> + Unpin, sqlx::Error> {
    // A uuid and two numbers: nothing that would need quoting.
    let copy = format!(
        "COPY (SELECT e.position, e.aggregate_type, e.aggregate_id, e.sequence, e.event_type, e.event_version, \
           e.payload, e.metadata, e.occurred_at, e.recorded_at, e.payload_hash, e.hash, e.erased_at \
           FROM ledger.events e WHERE e.tenant_id = '{tenant}' AND e.position BETWEEN {from} AND {to} \
           ORDER BY e.position) TO STDOUT (FORMAT binary)"
    );
    connection.copy_out_raw(&copy).await
}

impl<'a> RawRow<'a> {
    /// The row in a message, which holds one, or none at the end of the stream.
    ///
    /// # Errors
    /// When it does not have the form of [`rows`].
    pub(super) fn read(message: &'a [u8]) -> Result<Option<Self>, sqlx::Error> {
        let rest = match message.strip_prefix(HEADER) {
            Some(first) => first.get(FLAGS..).ok_or_else(malformed)?,
            None => message,
        };
        let mut fields = Fields(rest);
        let count = i16::from_be_bytes(fields.take()?);
        if count == -1 {
            return Ok(None);
        }
        Ok(Some(Self {
            position: fields.number()?,
            aggregate_type: fields.text()?,
            aggregate_id: fields.text()?,
            sequence: fields.number()?,
            event_type: fields.text()?,
            event_version: fields.text()?,
            payload: fields.bytes()?,
            metadata: fields.bytes()?,
            occurred_at: fields.number()?.saturating_add(MICROS_TO_2000),
            recorded_at: fields.number()?.saturating_add(MICROS_TO_2000),
            payload_hash: fields.bytes()?,
            hash: fields.bytes()?,
            erased_at: fields.nullable_number()?.map(|micros| micros.saturating_add(MICROS_TO_2000)),
        }))
    }

    /// The stored hash, where it is a sha256.
    pub(super) fn hash(&self) -> Option<Hash> {
        self.hash.try_into().ok()
    }
}

/// What is left of a row.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], sqlx::Error> {
        let (taken, rest) = self.0.split_first_chunk().ok_or_else(malformed)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn bytes(&mut self) -> Result<&'a [u8], sqlx::Error> {
        let length = usize::try_from(i32::from_be_bytes(self.take()?)).map_err(|_| malformed())?;
        let (taken, rest) = self.0.split_at_checked(length).ok_or_else(malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    fn nullable_number(&mut self) -> Result<Option<i64>, sqlx::Error> {
        match self.0.strip_prefix(&(-1_i32).to_be_bytes()) {
            Some(rest) => {
                self.0 = rest;
                Ok(None)
            }
            None => self.number().map(Some),
        }
    }

    fn text(&mut self) -> Result<&'a str, sqlx::Error> {
        std::str::from_utf8(self.bytes()?).map_err(|_| malformed())
    }

    fn number(&mut self) -> Result<i64, sqlx::Error> {
        self.bytes()?.try_into().map(i64::from_be_bytes).map_err(|_| malformed())
    }
}

fn malformed() -> sqlx::Error {
    sqlx::Error::Protocol("a row of the ledger that does not have its form".to_owned())
}
