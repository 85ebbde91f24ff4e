//! Where the bytes of media are kept, and how WhatsApp gives and takes them.

use std::{ops::Range, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use chatledger_domain::{BlobId, MediaId, Position, RawJson, TenantId, media::MediaCommand, whatsapp_account::Number};
use futures_util::stream::BoxStream;

use super::Unavailable;

/// Bytes as they come.
pub type Chunks = BoxStream<'static, Result<Bytes, Unavailable>>;

/// Where the bytes of media are kept, by tenant and an id of ours; nothing that a client names is ever part of a place.
///
/// What must hold for every implementation: a blob is seen whole or not at all, and after [`BlobWriter::finish`] it is
/// durable. Blobs that no event names are harmless.
#[async_trait]
pub trait MediaStore: Send + Sync {
    /// Begins to write a blob.
    async fn begin(&self, tenant: TenantId, blob: BlobId) -> Result<Box<dyn BlobWriter>, Unavailable>;
    /// The bytes of a blob, or of a part of it; `None` when there is no such blob.
    async fn get(
        &self,
        tenant: TenantId,
        blob: BlobId,
        part: Option<Range<u64>>,
    ) -> Result<Option<Chunks>, Unavailable>;
    /// Forgets a blob; fine when there is none.
    async fn delete(&self, tenant: TenantId, blob: BlobId) -> Result<(), Unavailable>;
    /// Every blob of a tenant, also those that no event names.
    async fn blobs(&self, tenant: TenantId) -> Result<Vec<BlobId>, Unavailable>;
    /// The most that a tenant's uploads may fill, in bytes.
    fn quota(&self) -> u64;
}

/// A blob under way. Dropped unfinished, it never was.
#[async_trait]
pub trait BlobWriter: Send {
    /// Adds bytes.
    async fn write(&mut self, bytes: Bytes) -> Result<(), Unavailable>;
    /// Makes it durable.
    async fn finish(self: Box<Self>) -> Result<Written, Unavailable>;
    /// Gives it up.
    async fn abort(self: Box<Self>);
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Bytes.
    pub size: u64,
    /// Of the bytes, in hexadecimal digits.
    pub sha256: String,
}

/// How WhatsApp gives and takes files. Uploading twice does no harm: the second is another file with the same bytes.
#[async_trait]
pub trait WhatsAppMedia: Send + Sync {
    /// Asks for a file that a customer sent.
    async fn download(&self, number: &Number, access_token: &str, waba_id: &str) -> Result<Download, NoDownload>;
    /// Gives a file; WhatsApp's id of it.
    async fn upload(&self, number: &Number, access_token: &str, file: OutgoingFile) -> Result<String, NoUpload>;
}

/// A file on its way from WhatsApp.
pub struct Download {
    /// What WhatsApp says it is.
    pub mime_type: Option<String>,
    /// How long WhatsApp says it is, in bytes.
    pub size: Option<u64>,
    /// The bytes.
    pub chunks: Chunks,
}

/// Why there is no file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoDownload {
    /// WhatsApp does not have it any more: why, for people.
    Gone(String),
    /// Perhaps later: why, for logs.
    Later {
        /// Not before.
        after: Option<Duration>,
        /// Why, for logs.
        reason: String,
    },
}

/// A file on its way to WhatsApp.
pub struct OutgoingFile {
    /// What it is.
    pub mime_type: String,
    /// Its name.
    pub filename: String,
    /// Its length in bytes.
    pub size: u64,
    /// The bytes.
    pub chunks: Chunks,
}

/// Why WhatsApp has not taken a file.
#[derive(Clone, Debug)]
pub enum NoUpload {
    /// It refuses it: its errors, a list.
    Refused(RawJson),
    /// Perhaps later.
    Later {
        /// Not before.
        after: Option<Duration>,
        /// Why, for logs.
        reason: String,
    },
}

/// Records what became of a file that a customer sent. Every call may come again; `Ok` means durable.
#[async_trait]
pub trait RecordMedia: Send + Sync {
    /// Whether anything changed by it; `causation` is the message's position.
    async fn record_media(
        &self,
        tenant: TenantId,
        media: MediaId,
        causation: Position,
        command: MediaCommand,
    ) -> Result<bool, Unavailable>;
}
