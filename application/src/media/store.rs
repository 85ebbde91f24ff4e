//! Stores a file that a user uploads (R-MED-1).

use bytes::Bytes;
use chatledger_domain::{
    BlobId, MediaId,
    media::{FileType, Media, MediaCommand, MediaOrigin, MediaStored, Source},
};
use futures_util::Stream;

use super::{Intake, NoIntake, Taken};
use crate::{
    application::{Application, Context},
    error::ApplicationError,
    streams::StreamOf,
};

/// A file that a user uploads.
#[derive(Clone, Debug, Default)]
pub struct NewMedia {
    /// The name it has there, without folders.
    pub filename: Option<String>,
    /// What the client says it is.
    pub declared: Option<String>,
}

/// A file that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMedia {
    /// Our id.
    pub id: MediaId,
    /// What it is.
    pub file_type: FileType,
    /// Bytes.
    pub size: u64,
}

impl Application {
    /// Takes a file in and keeps it; `wanted` picks kinds of files. Durable, and readable, when this returns.
    ///
    /// # Errors
    /// What the source says, or [`ApplicationError::EmptyFile`], `FileTooLarge`, `FileNotWanted`, `StorageFull`.
    pub async fn store_media<E: From<ApplicationError>>(
        &self,
        context: &Context,
        new: NewMedia,
        wanted: fn(&FileType) -> bool,
        chunks: impl Stream<Item = Result<Bytes, E>>,
    ) -> Result<StoredMedia, E> {
        let tenant = context.tenant;
        let used = self.read_models.media_bytes(tenant).await.map_err(ApplicationError::from)?;
        if used >= self.media.quota() {
            return Err(ApplicationError::StorageFull.into());
        }
        let intake = Intake {
            store: &*self.media,
            tenant,
            blob: BlobId(self.random.uuid()),
            declared: new.declared.as_deref(),
            source: Source::Client,
            wanted,
        };
        let taken = intake.take(chunks).await.map_err(|why| match why {
            NoIntake::Source(fault) => fault,
            NoIntake::Empty => ApplicationError::EmptyFile.into(),
            NoIntake::TooLarge(file_type) => ApplicationError::FileTooLarge(file_type.class).into(),
            NoIntake::Unwanted(file_type) => ApplicationError::FileNotWanted(file_type.mime_type).into(),
            NoIntake::Store(fault) => ApplicationError::from(fault).into(),
        })?;
        Ok(self.record_upload(context, new.filename, taken).await?)
    }

    async fn record_upload(
        &self,
        context: &Context,
        filename: Option<String>,
        taken: Taken,
    ) -> Result<StoredMedia, ApplicationError> {
        let Taken { blob, file_type, size, sha256 } = taken;
        let id = MediaId(self.random.uuid());
        let stored = MediaStored {
            mime_type: file_type.mime_type.clone(),
            size,
            sha256,
            filename,
            blob,
            origin: MediaOrigin::Upload { by: context.actor.user },
        };
        let name = id.to_string();
        let streams = [StreamOf::new::<Media>(&name)];
        let done = self
            .streams
            .transact(context.tenant, &streams, &context.metadata(), self.clock.now(), |decisions| {
                decisions.decide::<Media>(&name, MediaCommand::Store(Box::new(stored.clone())))
            })
            .await?;
        self.settle(context.tenant, done.position()).await;
        Ok(StoredMedia { id, file_type, size })
    }
}
