//! Rows on their way into a table by `COPY … (FORMAT binary)`: nothing is escaped, parsed or planned.

use sqlx::{PgConnection, postgres::PgCopyIn};
use uuid::Uuid;

/// What begins such a stream: a signature, no flags, no extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What ends it.
const TRAILER: &[u8] = &(-1_i16).to_be_bytes();
/// So many bytes are sent at once.
const CHUNK: usize = 1 << 20;

/// An open `COPY`. Dropped before it is finished, it fails and leaves nothing.
pub(crate) struct Copy<'c> {
    stream: PgCopyIn<&'c mut PgConnection>,
    buffer: Vec<u8>,
    columns: i16,
}

impl<'c> Copy<'c> {
    /// Begins to copy into columns of a table; `tenant_id` comes before them.
    ///
    /// # Errors
    /// When the database refuses.
    pub(crate) async fn begin(
        db: &'c mut PgConnection,
        table: &str,
        columns: &[&str],
    ) -> Result<Copy<'c>, sqlx::Error> {
        let statement = format!("COPY {table} (tenant_id, {}) FROM STDIN (FORMAT binary)", columns.join(", "));
        let stream = db.copy_in_raw(&statement).await?;
        let mut buffer = Vec::with_capacity(CHUNK + CHUNK / 8);
        buffer.extend_from_slice(HEADER);
        let columns = i16::try_from(columns.len() + 1).unwrap_or(i16::MAX);
        Ok(Self { stream, buffer, columns })
    }

    /// Begins a row; a value for each column must follow.
    pub(crate) fn row(&mut self) {
        self.buffer.extend_from_slice(&self.columns.to_be_bytes());
    }

    fn field(&mut self, bytes: Option<&[u8]>) {
        let length = bytes.map_or(-1, |bytes| i32::try_from(bytes.len()).unwrap_or(i32::MAX));
        self.buffer.extend_from_slice(&length.to_be_bytes());
        self.buffer.extend_from_slice(bytes.unwrap_or_default());
    }

    /// A value of type `uuid`.
    pub(crate) fn uuid(&mut self, value: Option<Uuid>) {
        self.field(value.as_ref().map(|id| id.as_bytes().as_slice()));
    }

    /// A value of type `text` or `json`.
    pub(crate) fn text(&mut self, value: Option<&str>) {
        self.field(value.map(str::as_bytes));
    }

    /// A value of type `bigint`.
    pub(crate) fn integer(&mut self, value: Option<i64>) {
        self.field(value.map(i64::to_be_bytes).as_ref().map(<[u8; 8]>::as_slice));
    }

    /// A value of type `boolean`.
    pub(crate) fn boolean(&mut self, value: bool) {
        self.field(Some(&[u8::from(value)]));
    }

    /// Sends what has gathered, once it is worth it.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub(crate) async fn send_some(&mut self) -> Result<(), sqlx::Error> {
        if self.buffer.len() >= CHUNK {
            self.stream.send(self.buffer.as_slice()).await?;
            self.buffer.clear();
        }
        Ok(())
    }

    /// Ends it: the rows are in the table.
    ///
    /// # Errors
    /// When the database refuses a row.
    pub(crate) async fn finish(mut self) -> Result<(), sqlx::Error> {
        self.buffer.extend_from_slice(TRAILER);
        self.stream.send(self.buffer.as_slice()).await?;
        self.stream.finish().await?;
        Ok(())
    }
}
