//! Takes the bytes of a file in: finds out what it is, holds it to its limit, makes it durable.

use std::pin::pin;

use bytes::{Bytes, BytesMut};
use chatledger_domain::{
    BlobId, TenantId,
    media::{FileType, HEAD, Source},
};
use futures_util::{Stream, StreamExt};

use crate::ports::{Unavailable, media::MediaStore};

/// A file to be taken in.
pub struct Intake<'a> {
    /// Where to.
    pub store: &'a dyn MediaStore,
    /// Whose it is.
    pub tenant: TenantId,
    /// Under which id.
    pub blob: BlobId,
    /// What its sender says it is.
    pub declared: Option<&'a str>,
    /// Who says so.
    pub source: Source,
    /// Whether this kind of file is wanted.
    pub wanted: fn(&FileType) -> bool,
}

/// A file that was taken in; durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Where its bytes are.
    pub blob: BlobId,
    /// What it is.
    pub file_type: FileType,
    /// Bytes.
    pub size: u64,
    /// Of the bytes, in hexadecimal digits.
    pub sha256: String,
}

/// Why a file was not taken in. Nothing of it is left.
#[derive(Debug)]
pub enum NoIntake<E> {
    /// The bytes did not come.
    Source(E),
    /// There are no bytes.
    Empty,
    /// There are more than files of this type may have.
    TooLarge(FileType),
    /// This kind of file is not wanted.
    Unwanted(FileType),
    /// The store.
    Store(Unavailable),
}

impl<E> From<Unavailable> for NoIntake<E> {
    fn from(fault: Unavailable) -> Self {
        Self::Store(fault)
    }
}

impl Intake<'_> {
    /// Takes the bytes in as they come; never more than the head and one chunk in memory.
    ///
    /// # Errors
    /// [`NoIntake`].
    pub async fn take<E>(&self, chunks: impl Stream<Item = Result<Bytes, E>>) -> Result<Taken, NoIntake<E>> {
        let mut chunks = pin!(chunks.fuse());
        let mut head = BytesMut::new();
        while head.len() < HEAD
            && let Some(chunk) = chunks.next().await
        {
            head.extend_from_slice(&chunk.map_err(NoIntake::Source)?);
        }
        if head.is_empty() {
            return Err(NoIntake::Empty);
        }
        let file_type = FileType::detect(&head[..head.len().min(HEAD)], self.declared, self.source);
        if !(self.wanted)(&file_type) {
            return Err(NoIntake::Unwanted(file_type));
        }
        let mut left = file_type.class.limit();
        let mut writer = self.store.begin(self.tenant, self.blob).await?;
        let mut next = Some(Ok(head.freeze()));
        let fault = loop {
            let bytes: Bytes = match next {
                None => {
                    let written = writer.finish().await?;
                    return Ok(Taken { blob: self.blob, file_type, size: written.size, sha256: written.sha256 });
                }
                Some(Ok(bytes)) => bytes,
                Some(Err(fault)) => break NoIntake::Source(fault),
            };
            match left.checked_sub(bytes.len() as u64) {
                Some(less) => left = less,
                None => break NoIntake::TooLarge(file_type),
            }
            if let Err(fault) = writer.write(bytes).await {
                break fault.into();
            }
            next = chunks.next().await;
        };
        writer.abort().await;
        Err(fault)
    }
}
