//! The file of an archive, part by part. Reading and writing it blocks, so each is a thread of its own that hands parts
//! over one at a time.

use std::{
    fs::File,
    io::{BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use sha2::{Digest, Sha256};
use tokio::{sync::mpsc, task::JoinHandle};

use super::{ArchiveError, Counts, FORMAT, Listed, Manifest, damaged};

/// The size at which a part is full, in bytes.
pub(super) const PART: usize = 4 << 20;
/// The largest part that is read: a part ends with a row, and a row may be large.
const LARGEST: u64 = 256 << 20;
/// The name of the last part.
pub(super) const MANIFEST: &str = "manifest.json";

/// A part.
pub(super) struct Part {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
}

fn listed(part: &Part) -> Listed {
    let sha256 = hex::encode(Sha256::digest(&part.bytes));
    Listed { name: part.name.clone(), size: part.bytes.len() as u64, sha256 }
}

/// A file under way. It gets its name when it is whole.
pub(super) struct Writer {
    parts: mpsc::Sender<Part>,
    task: JoinHandle<Result<(), ArchiveError>>,
    listed: Vec<Listed>,
}

impl Writer {
    pub(super) fn begin(path: &Path) -> Result<Self, ArchiveError> {
        let (draft, path) = (path.with_extension("unfinished"), path.to_owned());
        let fault = |error| ArchiveError::File(format!("{} cannot be written", draft.display()), error);
        let file = File::create(&draft).map_err(fault)?;
        let (parts, queue) = mpsc::channel(2);
        let task = tokio::task::spawn_blocking(move || write(file, &draft, &path, queue));
        Ok(Self { parts, task, listed: Vec::new() })
    }

    pub(super) async fn add(&mut self, part: Part) -> Result<(), ArchiveError> {
        self.listed.push(listed(&part));
        // Why it is gone is said when it is joined.
        self.parts.send(part).await.map_err(|_| damaged("it could not be written"))
    }

    pub(super) async fn finish(mut self, head_hash: &str, counts: &Counts) -> Result<(), ArchiveError> {
        let parts = std::mem::take(&mut self.listed);
        let manifest = Manifest { format: FORMAT, head_hash: head_hash.to_owned(), counts: counts.clone(), parts };
        let bytes = serde_json::to_vec_pretty(&manifest).map_err(damaged)?;
        let sent = self.parts.send(Part { name: MANIFEST.to_owned(), bytes }).await;
        drop(self.parts);
        self.task.await.map_err(damaged)??;
        sent.map_err(|_| damaged("it could not be written"))
    }
}

fn write(file: File, draft: &Path, path: &Path, mut queue: mpsc::Receiver<Part>) -> Result<(), ArchiveError> {
    let written = (|| {
        let mut tar = tar::Builder::new(GzEncoder::new(BufWriter::new(file), Compression::fast()));
        let mut is_whole = false;
        while let Some(Part { name, bytes }) = queue.blocking_recv() {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o600);
            tar.append_data(&mut header, &name, bytes.as_slice())?;
            is_whole = name == MANIFEST;
        }
        let mut file = tar.into_inner()?.finish()?;
        file.flush()?;
        file.get_ref().sync_all()?;
        if is_whole { std::fs::rename(draft, path) } else { std::fs::remove_file(draft) }
    })();
    written.map_err(|error| {
        let _ = std::fs::remove_file(draft);
        ArchiveError::File(format!("{} cannot be written", path.display()), error)
    })
}

/// A file that is read.
pub(super) struct Reader {
    parts: mpsc::Receiver<Result<Part, ArchiveError>>,
    listed: Vec<Listed>,
}

impl Reader {
    pub(super) fn open(path: &Path) -> Result<Self, ArchiveError> {
        let fault = |error| ArchiveError::File(format!("{} cannot be read", path.display()), error);
        let file = File::open(path).map_err(fault)?;
        let (send, parts) = mpsc::channel(2);
        let path: PathBuf = path.to_owned();
        tokio::task::spawn_blocking(move || {
            if let Err(error) = read(file, &send) {
                let _ = send.blocking_send(Err(ArchiveError::File(format!("{} is damaged", path.display()), error)));
            }
        });
        Ok(Self { parts, listed: Vec::new() })
    }

    /// The next part; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Part>, ArchiveError> {
        let part = self.parts.recv().await.transpose()?;
        if let Some(part) = part.as_ref().filter(|part| part.name != MANIFEST) {
            self.listed.push(listed(part));
        }
        Ok(part)
    }

    /// Whether what was read is what the manifest lists.
    pub(super) fn check(&self, manifest: &Manifest) -> Result<(), ArchiveError> {
        let wrong = manifest.parts.iter().zip(&self.listed).find(|(told, found)| told != found);
        match wrong {
            Some((told, _)) => Err(damaged(format!("{} is not what the manifest lists", told.name))),
            None if manifest.parts.len() == self.listed.len() => Ok(()),
            None => Err(damaged("parts are missing or added")),
        }
    }
}

fn read(file: File, send: &mpsc::Sender<Result<Part, ArchiveError>>) -> std::io::Result<()> {
    let mut tar = tar::Archive::new(GzDecoder::new(BufReader::new(file)));
    for entry in tar.entries()? {
        let mut entry = entry?;
        let name = entry.path()?.to_string_lossy().into_owned();
        if entry.size() > LARGEST {
            return Err(std::io::Error::other(format!("{name} is too large to be a part")));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(entry.size()).unwrap_or_default());
        entry.read_to_end(&mut bytes)?;
        // Whoever read has seen enough.
        if send.blocking_send(Ok(Part { name, bytes })).is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// Gathers lines into parts of a kind.
pub(super) struct Lines {
    kind: String,
    number: u32,
    bytes: Vec<u8>,
}

impl Lines {
    pub(super) fn of(kind: &str) -> Self {
        Self { kind: kind.to_owned(), number: 0, bytes: Vec::new() }
    }

    /// Adds a line; a part where one is full.
    pub(super) fn add(&mut self, line: &str) -> Option<Part> {
        self.bytes.extend_from_slice(line.as_bytes());
        self.bytes.push(b'\n');
        if self.bytes.len() >= PART { self.end() } else { None }
    }

    /// What is left.
    pub(super) fn end(&mut self) -> Option<Part> {
        let bytes = std::mem::take(&mut self.bytes);
        self.number += 1;
        (!bytes.is_empty()).then(|| Part { name: format!("{}/{:08}.ndjson", self.kind, self.number), bytes })
    }
}
