//! Where the bytes of media are kept: a folder, or a bucket that speaks S3.
//!
//! Places are made of our own ids alone: `<tenant>/<blob>`. A blob is written beside its place and moved there when it
//! is whole; in a folder, file and folder are synced before that counts as done.

pub mod fetch;

use std::{ops::Range, path::PathBuf, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use chatledger_application::ports::{
    Unavailable,
    media::{BlobWriter, Chunks, MediaStore, Written},
};
use chatledger_domain::{BlobId, TenantId};
use futures_util::{StreamExt, TryStreamExt};
use object_store::{
    Error, GetOptions, GetRange, ObjectStore, ObjectStoreExt, aws::AmazonS3Builder, buffered::BufWriter,
    local::LocalFileSystem, path::Path,
};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

/// What is sent to the store at once, in bytes; S3 takes no smaller parts.
const PART: usize = 5 << 20;

/// Where the bytes are kept.
#[derive(Clone)]
pub enum Place {
    /// In a folder, which is made where it is missing. All servers must share it.
    Folder(PathBuf),
    /// In a bucket.
    S3(Bucket),
}

/// A bucket that speaks S3.
#[derive(Clone)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// The server's address; `None` for Amazon's own.
    pub endpoint: Option<String>,
    /// Its region.
    pub region: String,
    /// The key's id.
    pub access_key_id: String,
    /// The key.
    pub secret_access_key: String,
}

/// Media in a folder or a bucket.
pub struct ObjectMedia {
    store: Arc<dyn ObjectStore>,
    quota: u64,
}

impl ObjectMedia {
    /// Opens the place.
    ///
    /// # Errors
    /// When the folder cannot be made, or the bucket's settings cannot be used.
    pub fn open(place: Place, quota: u64) -> Result<Self, Unavailable> {
        let store: Arc<dyn ObjectStore> = match place {
            Place::Folder(folder) => {
                std::fs::create_dir_all(&folder).map_err(|error| Unavailable::new(WHAT, error))?;
                Arc::new(LocalFileSystem::new_with_prefix(folder).map_err(unavailable)?.with_fsync(true))
            }
            Place::S3(bucket) => {
                // Fails only when a provider is set already, which is as good.
                let _ = rustls::crypto::ring::default_provider().install_default();
                let mut s3 = AmazonS3Builder::new()
                    .with_bucket_name(bucket.name)
                    .with_region(bucket.region)
                    .with_access_key_id(bucket.access_key_id)
                    .with_secret_access_key(bucket.secret_access_key);
                if let Some(endpoint) = bucket.endpoint {
                    s3 = s3.with_allow_http(endpoint.starts_with("http://")).with_endpoint(endpoint);
                }
                Arc::new(s3.build().map_err(unavailable)?)
            }
        };
        Ok(Self { store, quota })
    }
}

const WHAT: &str = "the media store";

fn unavailable(error: Error) -> Unavailable {
    Unavailable::new(WHAT, error)
}

fn path(tenant: TenantId, blob: BlobId) -> Path {
    Path::from_iter([tenant.to_string(), blob.to_string()])
}

#[async_trait]
impl MediaStore for ObjectMedia {
    async fn begin(&self, tenant: TenantId, blob: BlobId) -> Result<Box<dyn BlobWriter>, Unavailable> {
        let writer = BufWriter::with_capacity(self.store.clone(), path(tenant, blob), PART).with_max_concurrency(2);
        Ok(Box::new(Writer { writer, size: 0, hash: Sha256::new() }))
    }

    async fn get(
        &self,
        tenant: TenantId,
        blob: BlobId,
        part: Option<Range<u64>>,
    ) -> Result<Option<Chunks>, Unavailable> {
        let options = GetOptions { range: part.map(GetRange::Bounded), ..GetOptions::default() };
        match self.store.get_opts(&path(tenant, blob), options).await {
            Ok(found) => Ok(Some(found.into_stream().map(|chunk| chunk.map_err(unavailable)).boxed())),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(unavailable(error)),
        }
    }

    async fn delete(&self, tenant: TenantId, blob: BlobId) -> Result<(), Unavailable> {
        match self.store.delete(&path(tenant, blob)).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(unavailable(error)),
        }
    }

    async fn blobs(&self, tenant: TenantId) -> Result<Vec<BlobId>, Unavailable> {
        let folder = Path::from(tenant.to_string());
        let found = self.store.list(Some(&folder)).try_filter_map(|object| async move {
            // What is none of ours is left alone.
            Ok(object.location.filename().and_then(|name| name.parse::<BlobId>().ok()))
        });
        found.try_collect().await.map_err(unavailable)
    }

    fn quota(&self) -> u64 {
        self.quota
    }
}

struct Writer {
    writer: BufWriter,
    size: u64,
    hash: Sha256,
}

#[async_trait]
impl BlobWriter for Writer {
    async fn write(&mut self, bytes: Bytes) -> Result<(), Unavailable> {
        self.size += bytes.len() as u64;
        self.hash.update(&bytes);
        self.writer.put(bytes).await.map_err(unavailable)
    }

    async fn finish(mut self: Box<Self>) -> Result<Written, Unavailable> {
        self.writer.shutdown().await.map_err(|error| Unavailable::new(WHAT, error))?;
        Ok(Written { size: self.size, sha256: hex::encode(self.hash.finalize()) })
    }

    async fn abort(mut self: Box<Self>) {
        if let Err(error) = self.writer.abort().await {
            tracing::warn!(%error, "what is left of an unfinished file could not be removed");
        }
    }
}

#[cfg(test)]
mod tests;
