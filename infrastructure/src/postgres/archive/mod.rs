//! A whole tenant as one file: its ledger as it is stored, what the ledger's claims are, its media; to be kept, or to be
//! brought into another database with every position and hash as it was.
//!
//! The file is a gzipped tar of parts. None is larger than a few megabytes, so that neither side holds more than that at
//! once; the last one, `manifest.json`, counts and hashes all others, so that nothing can be missing unnoticed:
//!
//! | part | holds |
//! |---|---|
//! | `header.json` | format, tenant, short name, position and hash of the head, whether secrets are in it |
//! | `events/00000001.ndjson` … | events in order, a JSON object a line, payload and metadata as texts |
//! | `claims/…`, `vault.<table>/…` | rows, a JSON object a line |
//! | `media/<blob>/00000001` … | the bytes of a file |
//! | `manifest.json` | counts, head hash, name, size and sha256 of every part |
//!
//! Read models are not in it: they are folded from the ledger where it is brought to.

mod export;
mod file;
mod import;
mod rows;

pub use export::export;
pub use import::import;

use chatledger_application::ports::Unavailable;
use chatledger_domain::{Position, TenantId};

/// The format that this program writes, and the newest that it reads.
const FORMAT: u32 = 1;

/// What is in an archive.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Counts {
    /// Events of the ledger.
    pub events: i64,
    /// Names that are held.
    pub claims: i64,
    /// Rows of secrets; none where they were left out.
    pub secrets: i64,
    /// Files.
    pub media: i64,
}

/// An archive that was written or read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archived {
    /// Whose.
    pub tenant: TenantId,
    /// Its short name.
    pub slug: String,
    /// The hash of its newest event, which stands for all of them; hexadecimal digits.
    pub head_hash: String,
    /// What is in it.
    pub counts: Counts,
}

/// What an archive is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Events, counted.
    Events,
    /// Files, counted; how many there will be is not known while reading.
    Media,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What it is at.
    pub step: Step,
    /// Done so far.
    pub done: i64,
    /// In all.
    pub total: i64,
}

/// Why there is no archive, or why it was not brought in. Nothing is changed then.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// There is no such tenant.
    #[error("no such tenant")]
    UnknownTenant,
    /// It is there already.
    #[error("the tenant {0} is there already; delete it first, or bring the archive into another database")]
    TenantExists(String),
    /// Another tenant is reached where this one was.
    #[error("another tenant has {0}")]
    Taken(String),
    /// A later program wrote it.
    #[error("the archive has format {0}, this program reads up to {FORMAT}")]
    Format(u32),
    /// It is not whole, or not as it was written.
    #[error("the archive is damaged: {0}")]
    Damaged(String),
    /// Its ledger does not prove.
    #[error("the archive's ledger is not as it was written: position {position}: {what}")]
    Broken {
        /// The first event that is not in order.
        position: Position,
        /// What is wrong there.
        what: String,
    },
    /// The file cannot be written or read.
    #[error("{0}")]
    File(String, #[source] std::io::Error),
    /// The media store.
    #[error(transparent)]
    Media(#[from] Unavailable),
    /// The database.
    #[error("the database is unavailable")]
    Database(#[from] sqlx::Error),
}

fn damaged(what: impl std::fmt::Display) -> ArchiveError {
    ArchiveError::Damaged(what.to_string())
}

/// The first part.
#[derive(serde::Serialize, serde::Deserialize)]
struct Header {
    format: u32,
    tenant: TenantId,
    slug: String,
    head_position: i64,
    head_hash: String,
    with_secrets: bool,
}

/// The last part.
#[derive(serde::Serialize, serde::Deserialize)]
struct Manifest {
    format: u32,
    head_hash: String,
    counts: Counts,
    parts: Vec<Listed>,
}

/// A part as the manifest lists it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct Listed {
    name: String,
    size: u64,
    sha256: String,
}
